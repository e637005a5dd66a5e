// Wrong: a resource is named by the type that it has, with the scope's lifetime. A family is named by the type with `'static`.
// Instead: `scope.devres::<Mmio<'static, Uart, Sim>>(regs)`, or `regs.into_devres(scope)`.
use driver_scope::{platform::Sim, DriverScope, Error, Mmio, Registers};

enum Uart {}
impl Registers for Uart {
    const SIZE: usize = 4;
}

fn share<'drv>(
    scope: &DriverScope<'drv, Sim>,
    regs: Mmio<'drv, Uart, Sim>,
) -> Result<(), Error> {
    scope.devres::<Mmio<'drv, Uart, Sim>>(regs)?;
    Ok(())
}

fn main() {}
