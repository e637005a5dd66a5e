// Wrong: the handler does not say whether the interrupt was from its device.
// Instead: end with `IrqReturn::Handled` or `IrqReturn::None`, or `ours.into()`.
use driver_scope::platform::{IrqLine, Sim};
use driver_scope::{DriverScope, Error, Irq};

fn probe<'drv>(
    scope: &DriverScope<'drv, Sim>,
    line: &IrqLine,
) -> Result<Irq<'drv, Sim>, Error> {
    scope.irq(line, |_| println!("interrupt"))
}

fn main() {}
