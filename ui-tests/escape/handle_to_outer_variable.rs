// Wrong: a handle is kept in a variable that outlives its scope.
// Instead: keep the handle inside; for a way in from outside, use a `Binding` and its `with`.
use driver_scope::{enter, platform::Sim, Restart};

fn main() {
    Sim::new().may_sleep(|cx| {
        let mut kept = None;
        enter(Sim::new(), cx, &(), |_, scope| {
            kept = scope.hrtimer(|_| Restart::No).ok();
        });
    });
}
