// Wrong: a handler asks for a context that lives for ever, so that its handle could be kept.
// Instead: `|context| ..`, or `|context: &mut IrqContext<'_, P>| ..`.
// Refused: requires that `'1` must outlive `'static`
use driver_scope::platform::{IrqLine, Sim};
use driver_scope::{DriverScope, Error, Irq, IrqContext, IrqReturn, Once};

static IRQ: Once<Irq<'static, Sim>> = Once::new();

fn probe(scope: &DriverScope<'_, Sim>, line: &IrqLine) -> Result<(), Error> {
    scope.irq(line, |context: &mut IrqContext<'static, Sim>| {
        let _ = IRQ.set(context.irq());
        IrqReturn::Handled
    })?;
    Ok(())
}

fn main() {}
