// Wrong: a resource without a lifetime is made by its type, which is not the name of a family.
// Instead: `scope.devres::<Plain<u32>>(1)`.
use driver_scope::{platform::Sim, DriverScope, Error};

fn probe(scope: &DriverScope<'_, Sim>) -> Result<(), Error> {
    scope.devres::<u32>(1)?;
    Ok(())
}

fn main() {}
