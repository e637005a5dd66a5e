// Wrong: a callback sleeps by means of the scope.
// Instead: return `t.restart_after(..)`, and go on when the timer expires again.
use driver_scope::{platform::Sim, DriverScope, Error, HrTimer, Restart, Units};

fn probe<'drv>(scope: &DriverScope<'drv, Sim>) -> Result<HrTimer<'drv, Sim>, Error> {
    scope.hrtimer(move |_| {
        scope.sleep(1.millis());
        Restart::No
    })
}

fn main() {}
