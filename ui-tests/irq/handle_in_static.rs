// Wrong: a handle is put into a `static`, so that the rest of the program can disable the interrupt after `remove`.
// Instead: put the `Binding` there, and reach the handle by `Binding::with`; or a `Port`.
use driver_scope::platform::{IrqLine, Sim};
use driver_scope::{DriverScope, Error, Irq, IrqReturn, Once};

static IRQ: Once<Irq<'static, Sim>> = Once::new();

fn publish(scope: &DriverScope<'_, Sim>, line: &IrqLine) -> Result<(), Error> {
    let irq = scope.irq(line, |_| IrqReturn::Handled)?;
    let _ = IRQ.set(irq);
    Ok(())
}

fn main() {}
