// Wrong: a timer's callback waits for work. It may not wait for anything.
// Instead: queue it, and go on in the work.
use driver_scope::{platform::Sim, DriverScope, Error, HrTimer, Restart, Work};

fn probe<'drv>(
    scope: &DriverScope<'drv, Sim>,
    work: Work<'drv, Sim>,
) -> Result<HrTimer<'drv, Sim>, Error> {
    scope.hrtimer(move |_| {
        let _ = work.flush();
        Restart::No
    })
}

fn main() {}
