// Wrong: a handle is a resource without a lifetime, so that what is lent could be kept.
// Instead: `Devres<HrTimer<'static, P>, P>`: the family of the handle's types.
// Refused: argument requires that `'drv` must outlive `'static`
use driver_scope::{platform::Sim, DriverScope, Error, HrTimer, Plain};

fn publish<'drv>(scope: &DriverScope<'drv, Sim>, timer: HrTimer<'drv, Sim>) -> Result<(), Error> {
    scope.devres::<Plain<HrTimer<'static, Sim>>>(timer)?;
    Ok(())
}

fn main() {}
