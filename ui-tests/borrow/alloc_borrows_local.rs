// Wrong: a value that the scope keeps borrows a local.
// Instead: give the local to the scope first (`scope.own`) and borrow it there.
use driver_scope::{platform::Sim, DriverScope, Error};

fn probe(scope: &DriverScope<'_, Sim>) -> Result<(), Error> {
    let name = String::from("led");
    scope.alloc((1, name.as_str()))?;
    Ok(())
}

fn main() {}
