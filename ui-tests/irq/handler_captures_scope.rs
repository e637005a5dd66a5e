// Wrong: an interrupt handler uses the scope. The scope is for code that may sleep; a handler may not.
// Instead: make everything that the handler needs beforehand, and `move` the handles in.
use driver_scope::platform::{IrqLine, Sim};
use driver_scope::{DriverScope, IrqReturn};

fn register<'drv>(
    outer: &'drv DriverScope<'_, Sim>,
    scope: &DriverScope<'drv, Sim>,
    line: &IrqLine,
) {
    let _ = scope.irq(line, move |_| {
        let _ = outer.own(7);
        IrqReturn::Handled
    });
}

fn main() {}
