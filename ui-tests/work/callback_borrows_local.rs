// Wrong: work borrows a local, which is gone when the work runs.
// Instead: let the scope own it: `let count = scope.own(AtomicU32::new(0))?`.
use std::sync::atomic::{AtomicU32, Ordering};

use driver_scope::{platform::Sim, DriverScope, Error, Restart, Work};

fn probe<'drv>(scope: &DriverScope<'drv, Sim>) -> Result<Work<'drv, Sim>, Error> {
    let count = AtomicU32::new(0);
    scope.work(|_| {
        count.fetch_add(1, Ordering::Relaxed);
        Restart::No
    })
}

fn main() {}
