// Wrong: work that got its callback later borrows a local.
// Instead: let the scope own it: `let count = scope.own(AtomicU32::new(0))?`.
use std::sync::atomic::{AtomicU32, Ordering};

use driver_scope::{platform::Sim, DriverScope, Error, Restart, Work};

fn probe<'drv>(scope: &DriverScope<'drv, Sim>) -> Result<Work<'drv, Sim>, Error> {
    let count = AtomicU32::new(0);
    let (work, vacant) = scope.vacant_work()?;
    vacant.set(scope, |_| {
        count.fetch_add(1, Ordering::Relaxed);
        Restart::No
    })?;
    Ok(work)
}

fn main() {}
