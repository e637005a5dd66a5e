// Wrong: a handler captures the proof that one may sleep. It does not hold where the handler runs.
// Instead: `disable()`, which does not wait.
use driver_scope::platform::{IrqLine, Sim};
use driver_scope::{DriverScope, Error, Irq, IrqReturn, MaySleep};

fn probe<'drv>(
    scope: &DriverScope<'drv, Sim>,
    line: &IrqLine,
    other: Irq<'drv, Sim>,
    cx: MaySleep<'drv>,
) -> Result<Irq<'drv, Sim>, Error> {
    scope.irq(line, move |_| {
        let _ = other.disable_sync(cx);
        IrqReturn::Handled
    })
}

fn main() {}
