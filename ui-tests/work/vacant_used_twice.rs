// Wrong: work gets a second callback, while the first may run.
// Instead: one callback that does the one or the other.
use driver_scope::{platform::Sim, DriverScope, Error, Restart, Work};

fn probe<'drv>(scope: &DriverScope<'drv, Sim>) -> Result<Work<'drv, Sim>, Error> {
    let (work, vacant) = scope.vacant_work()?;
    vacant.set(scope, |_| Restart::No)?;
    vacant.set(scope, |w| w.requeue())?;
    Ok(work)
}

fn main() {}
