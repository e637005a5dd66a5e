// Wrong: a handler keeps the handle that its context lends for the length of the call.
// Instead: keep the one that `scope.irq` returns, or use this one at once.
use driver_scope::platform::{IrqLine, Sim};
use driver_scope::{DriverScope, Error, Irq, IrqReturn};

fn probe<'drv>(
    scope: &DriverScope<'drv, Sim>,
    line: &IrqLine,
) -> Result<Irq<'drv, Sim>, Error> {
    let mut mine: Option<Irq<'_, Sim>> = None;
    scope.irq(line, move |cx| {
        mine.insert(cx.irq()).enable();
        IrqReturn::Handled
    })
}

fn main() {}
