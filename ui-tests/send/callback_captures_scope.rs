// Wrong: a callback uses the scope. The scope is for code that may sleep; a callback may not.
// Instead: make everything that the callback needs beforehand, and `move` the handles in.
use driver_scope::{enter, platform::Sim, DriverScope, Restart};

fn register<'drv>(outer: &'drv DriverScope<'_, Sim>, scope: &DriverScope<'drv, Sim>) {
    let _ = scope.hrtimer(move |_| {
        let _ = outer.own(7);
        Restart::No
    });
}

fn main() {
    Sim::new().may_sleep(|cx| {
        enter(Sim::new(), cx, &(), |_, outer| {
            enter(Sim::new(), cx, outer, |outer, inner| register(outer, inner));
        });
    });
}
