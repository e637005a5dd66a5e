// Wrong: a handler of one platform is put on the line of another's device.
// Instead: take the line from the device that the driver was bound to: `dev.irq(0)?`.
use driver_scope::platform::{IrqLine, Platform};
use driver_scope::{DriverScope, Error, Irq, IrqReturn};

fn probe<'drv, P: Platform>(
    scope: &DriverScope<'drv, P>,
    line: &IrqLine,
) -> Result<Irq<'drv, P>, Error> {
    scope.irq(line, |_| IrqReturn::Handled)
}

fn main() {}
