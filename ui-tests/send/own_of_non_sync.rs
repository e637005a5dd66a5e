// Wrong: the scope is to own a `Cell`; what it owns is shared between contexts.
// Instead: an atomic, or a `driver_scope::Lock`.
use std::cell::Cell;

use driver_scope::{platform::Sim, DriverScope, Error};

fn probe(scope: &DriverScope<'_, Sim>) -> Result<(), Error> {
    scope.own(Cell::new(7))?;
    Ok(())
}

fn main() {}
