// Wrong: a helper puts a handler on a line that borrows what only lives as long as the call.
// Instead: have it borrowed for the scope's own lifetime: `fn count<'drv>(scope: &DriverScope<'drv, Sim>, .., seen: &'drv AtomicU32)`.
use std::sync::atomic::{AtomicU32, Ordering};

use driver_scope::platform::{IrqLine, Sim};
use driver_scope::{DriverScope, Error, IrqReturn};

fn count(scope: &DriverScope<'_, Sim>, line: &IrqLine, seen: &AtomicU32) -> Result<(), Error> {
    let irq = scope.irq(line, move |_| {
        seen.fetch_add(1, Ordering::Relaxed);
        IrqReturn::Handled
    })?;
    std::mem::forget(irq);
    Ok(())
}

fn main() {}
