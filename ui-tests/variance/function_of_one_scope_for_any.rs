// Wrong: a function for the one scope that lives for ever is taken for one that works with any.
// Instead: write functions for any scope: `fn(&DriverScope<'_, P>)`.
// Refused: one type is more general than the other
use driver_scope::{enter, platform::Sim, DriverScope};

fn body(_: &(), scope: &DriverScope<'static, Sim>) {
    std::thread::spawn({
        let platform: &'static Sim = scope.platform();
        move || platform.log()
    });
}

fn main() {
    let any: for<'e, 's, 'd> fn(&'e (), &'s DriverScope<'d, Sim>) = body;
    Sim::new().may_sleep(|cx| enter(Sim::new(), cx, &(), any));
}
