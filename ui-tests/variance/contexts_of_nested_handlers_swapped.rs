// Wrong: a handler keeps its context's handle in what it has captured, where its next run finds it.
// Instead: the handle that `scope.irq` returned, in a `Once` of the scope.
// Refused: `context` escapes the closure body here
use driver_scope::platform::{IrqLine, Sim};
use driver_scope::{DriverScope, Error, Irq, IrqReturn};

fn probe<'drv>(scope: &DriverScope<'drv, Sim>, line: &IrqLine) -> Result<(), Error> {
    let mut last: Option<Irq<'drv, Sim>> = None;
    scope.irq(line, move |context| {
        last = Some(context.irq());
        IrqReturn::Handled
    })?;
    Ok(())
}

fn main() {}
