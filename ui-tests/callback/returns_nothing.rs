// Wrong: the callback does not say whether its timer is to expire again.
// Instead: end with `Restart::No`, `t.restart_after(..)` or `t.forward(..)`.
use driver_scope::{platform::Sim, DriverScope, Error, HrTimer};

fn probe<'drv>(scope: &DriverScope<'drv, Sim>) -> Result<HrTimer<'drv, Sim>, Error> {
    scope.hrtimer(|_| println!("tick"))
}

fn main() {}
