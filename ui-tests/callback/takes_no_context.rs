// Wrong: the callback does not take its context.
// Instead: `|_| Restart::No`.
use driver_scope::{platform::Sim, DriverScope, Error, HrTimer, Restart};

fn probe<'drv>(scope: &DriverScope<'drv, Sim>) -> Result<HrTimer<'drv, Sim>, Error> {
    scope.hrtimer(|| Restart::No)
}

fn main() {}
