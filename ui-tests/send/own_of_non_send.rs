// Wrong: an owned value must stay on its thread (a `MutexGuard` is `Sync`, but not `Send`), but the scope may be torn down on another.
// Instead: own the `Mutex`.
use std::sync::MutexGuard;

use driver_scope::{platform::Sim, DriverScope, Error};

fn probe(scope: &DriverScope<'_, Sim>, guard: MutexGuard<'static, u32>) -> Result<(), Error> {
    scope.own(guard)?;
    Ok(())
}

fn main() {}
