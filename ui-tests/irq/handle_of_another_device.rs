// Wrong: the handler of one device disables the interrupt of another, which may be removed first.
// Instead: reach the other driver by a `Port`, which says when it is gone.
use driver_scope::platform::{IrqLine, Sim};
use driver_scope::{DriverScope, Error, Irq, IrqReturn};

fn probe<'drv>(
    scope: &DriverScope<'drv, Sim>,
    line: &IrqLine,
    other: Irq<'_, Sim>,
) -> Result<Irq<'drv, Sim>, Error> {
    scope.irq(line, move |_| {
        other.disable();
        IrqReturn::Handled
    })
}

fn main() {}
