// Wrong: a callback shares a `Cell` with the code around it, which may run at the same time.
// Instead: an atomic, or a `driver_scope::Lock`.
use std::cell::Cell;

use driver_scope::{platform::Sim, DriverScope, Error, HrTimer, Restart};

fn probe<'drv>(scope: &DriverScope<'drv, Sim>) -> Result<HrTimer<'drv, Sim>, Error> {
    let ticks: &'drv Cell<u32> = scope.alloc(Cell::new(0))?;
    scope.hrtimer(move |_| {
        ticks.set(ticks.get() + 1);
        Restart::No
    })
}

fn main() {}
