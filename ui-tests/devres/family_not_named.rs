// Wrong: `devres` is not told which family the value belongs to; it cannot be inferred from the value.
// Instead: `scope.devres::<Plain<u32>>(1)`.
use driver_scope::{platform::Sim, DriverScope, Error};

fn probe(scope: &DriverScope<'_, Sim>) -> Result<(), Error> {
    let _bound = scope.devres(1_u32)?;
    Ok(())
}

fn main() {}
