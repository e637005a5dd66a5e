// Wrong: a callback captures the proof that one may sleep. It does not hold where the callback runs.
// Instead: what waits is done outside callbacks; inside, `try_cancel`.
use driver_scope::{platform::Sim, DriverScope, Error, HrTimer, MaySleep, Restart};

fn probe<'drv>(
    scope: &DriverScope<'drv, Sim>,
    other: HrTimer<'drv, Sim>,
    cx: MaySleep<'drv>,
) -> Result<HrTimer<'drv, Sim>, Error> {
    scope.hrtimer(move |_| {
        let _ = other.cancel(cx);
        Restart::No
    })
}

fn main() {}
