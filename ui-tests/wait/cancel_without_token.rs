// Wrong: a callback waits for another timer's callback. It may not wait for anything.
// Instead: `try_cancel`, which does not wait; the scope's teardown stops both anyway.
use driver_scope::{platform::Sim, DriverScope, Error, HrTimer, Restart};

fn probe<'drv>(
    scope: &DriverScope<'drv, Sim>,
    other: HrTimer<'drv, Sim>,
) -> Result<HrTimer<'drv, Sim>, Error> {
    scope.hrtimer(move |_| {
        let _ = other.cancel();
        Restart::No
    })
}

fn main() {}
