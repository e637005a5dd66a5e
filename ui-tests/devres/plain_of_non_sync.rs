// Wrong: a resource that must not be shared, without a lifetime; handles on many threads lend the same one.
// Instead: a type that is `Sync`: an atomic, a `Lock`.
use std::cell::Cell;

use driver_scope::{platform::Sim, DriverScope, Error, Plain};

fn probe(scope: &DriverScope<'_, Sim>) -> Result<(), Error> {
    scope.devres::<Plain<Cell<u32>>>(Cell::new(1))?;
    Ok(())
}

fn main() {}
