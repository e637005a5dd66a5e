// Wrong: the closure lacks `move`, so it borrows the local variable `other` instead of taking the handle.
// Instead: `move |_| ..`; handles are `Copy`.
use driver_scope::{platform::Sim, DriverScope, Error, HrTimer, Restart, Units};

fn probe<'drv>(scope: &DriverScope<'drv, Sim>) -> Result<HrTimer<'drv, Sim>, Error> {
    let other = scope.hrtimer(|_| Restart::No)?;
    let timer = scope.hrtimer(|_| {
        let _ = other.start(1.millis());
        Restart::No
    })?;
    Ok(timer)
}

fn main() {}
