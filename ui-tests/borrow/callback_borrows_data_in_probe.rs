// Wrong: a callback borrows what `probe` is about to return as the driver's data.
// Instead: let the scope own what both need (`scope.own`); the data and the callback each hold the reference.
use std::sync::atomic::{AtomicU32, Ordering};

use driver_scope::{platform::Sim, DriverScope, Error, Restart};

fn probe(scope: &DriverScope<'_, Sim>) -> Result<AtomicU32, Error> {
    let data = AtomicU32::new(0);
    let ticks = &data;
    scope.hrtimer(move |_| {
        ticks.fetch_add(1, Ordering::Relaxed);
        Restart::No
    })?;
    Ok(data)
}

fn main() {}
