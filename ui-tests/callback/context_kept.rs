// Wrong: a callback keeps its context beyond the call.
// Instead: keep what it says: `t.now()`, `t.expires()`, `t.overrun()`.
use driver_scope::{platform::Sim, DriverScope, Error, HrTimer, Restart, TimerContext};

fn probe<'drv>(scope: &DriverScope<'drv, Sim>) -> Result<HrTimer<'drv, Sim>, Error> {
    let mut last: Option<&TimerContext<'_, Sim>> = None;
    scope.hrtimer(move |t| {
        last = Some(t);
        Restart::No
    })
}

fn main() {}
