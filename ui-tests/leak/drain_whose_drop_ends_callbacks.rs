// Wrong: a collection whose `Drop` is to stop what borrows its elements, as `Vec::drain` once relied on its own.
// Instead: put the elements into the scope: `scope.own(elements)`.
// Refused: argument requires that `'1` must outlive `'drv`
use std::sync::atomic::{AtomicU32, Ordering};

use driver_scope::{platform::Sim, DriverScope, Error, HrTimer, Restart};

struct Counters<'drv> {
    timers: Vec<HrTimer<'drv, Sim>>,
    counts: Vec<AtomicU32>,
}

impl<'drv> Counters<'drv> {
    fn count(&mut self, scope: &DriverScope<'drv, Sim>) -> Result<(), Error> {
        let counts = &self.counts;
        let timer = scope.hrtimer(move |_| {
            counts[0].fetch_add(1, Ordering::Relaxed);
            Restart::No
        })?;
        self.timers.push(timer);
        Ok(())
    }
}

impl Drop for Counters<'_> {
    fn drop(&mut self) {
        for timer in &self.timers {
            timer.try_cancel();
        }
    }
}

fn main() {}
