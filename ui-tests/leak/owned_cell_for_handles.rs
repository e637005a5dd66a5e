// Wrong: the scope owns a place for handles of itself. It is dropped after what they lead to: what a handle's `Drop` saw would be gone.
// Instead: a place for handles is in `Data`, or in `scope.alloc` if it needs no `Drop`.
// Refused: argument requires that `'drv` must outlive `'static`
use std::sync::Mutex;

use driver_scope::{platform::Sim, DriverScope, Error, HrTimer};

fn place<'drv>(scope: &DriverScope<'drv, Sim>) -> Result<(), Error> {
    let handles: Mutex<Vec<HrTimer<'drv, Sim>>> = Mutex::new(Vec::new());
    scope.own(handles)?;
    Ok(())
}

fn main() {}
