// Wrong: as the first `thread::scoped`: the guard's lifetime is to tell for how long the callback borrows, but a guard can be forgotten.
// Instead: what a callback borrows lives as long as the scope: `'drv`.
// Refused: argument requires that `'a` must outlive `'drv`
use std::sync::atomic::{AtomicU32, Ordering};

use driver_scope::{platform::Sim, DriverScope, Error, HrTimer, Restart};

fn scoped<'a, 'drv: 'a>(
    scope: &DriverScope<'drv, Sim>,
    count: &'a AtomicU32,
) -> Result<HrTimer<'a, Sim>, Error> {
    scope.hrtimer(move |_| {
        count.fetch_add(1, Ordering::Relaxed);
        Restart::No
    })
}

fn main() {}
