// Wrong: the handle that needs no check is put into a `static`, where it outlives its scope.
// Instead: put the checked one there: `bound.devres()`.
use driver_scope::{platform::Sim, Bound, DriverScope, Error, Once, Plain};

static COUNT: Once<Bound<'static, Plain<u32>, Sim>> = Once::new();

fn publish(scope: &DriverScope<'_, Sim>) -> Result<(), Error> {
    let _ = COUNT.set(scope.devres::<Plain<u32>>(1)?);
    Ok(())
}

fn main() {}
