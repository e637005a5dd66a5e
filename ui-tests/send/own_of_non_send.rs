// Wrong: the scope is to own an `Rc`, which must not be dropped on another thread.
// Instead: own the value itself.
use std::rc::Rc;

use driver_scope::{platform::Sim, DriverScope, Error};

fn probe(scope: &DriverScope<'_, Sim>) -> Result<(), Error> {
    scope.own(Rc::new(7))?;
    Ok(())
}

fn main() {}
