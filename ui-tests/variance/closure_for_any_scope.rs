// Wrong: a closure that works with any scope (`for<'d>`) brings along a handle of one.
// Instead: make in each scope what its callbacks need; another device's resource is had by a `Devres`.
// Refused: argument requires that `'1` must outlive `'static`
use driver_scope::{platform::Sim, DriverScope, HrTimer, Restart, Units};

fn for_any(_: impl for<'d> Fn(&DriverScope<'d, Sim>)) {}

fn probe(timer: HrTimer<'_, Sim>) {
    for_any(move |other| {
        let _ = other.hrtimer(move |_| {
            let _ = timer.start(1.millis());
            Restart::No
        });
    });
}

fn main() {}
