// Wrong: a family whose members are all the one that lives for ever: what a `Devres` lends could be kept.
// Instead: `type At<'a> = HrTimer<'a, P>`.
// Refused: argument requires that `'drv` must outlive `'static`
use driver_scope::{platform::Sim, DriverScope, Error, Family, HrTimer};

struct Lasting;
impl Family for Lasting {
    type At<'a> = HrTimer<'static, Sim>;
}

fn publish<'drv>(scope: &DriverScope<'drv, Sim>, timer: HrTimer<'drv, Sim>) -> Result<(), Error> {
    scope.devres::<Lasting>(timer)?;
    Ok(())
}

fn main() {}
