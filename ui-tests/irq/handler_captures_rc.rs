// Wrong: an interrupt handler owns an `Rc`; it runs in another context than the other owners of the `Rc`.
// Instead: let the scope own the value (`scope.own`) and share `&'drv T`; no count is needed.
use std::rc::Rc;

use driver_scope::platform::{IrqLine, Sim};
use driver_scope::{DriverScope, Error, Irq, IrqReturn};

fn probe<'drv>(
    scope: &DriverScope<'drv, Sim>,
    line: &IrqLine,
) -> Result<Irq<'drv, Sim>, Error> {
    let name = Rc::new("rx");
    scope.irq(line, move |_| {
        println!("{name}");
        IrqReturn::Handled
    })
}

fn main() {}
