// Wrong: the scope is to own (and drop) something that borrows from the scope; its `Drop` could see what is dropped already.
// Instead: `scope.alloc`, for what needs no `Drop`; else split it: own the part with the `Drop`, hold a reference to it.
use driver_scope::{platform::Sim, DriverScope, Error, HrTimer};

struct Blinker<'drv> {
    timer: HrTimer<'drv, Sim>,
}

fn probe<'drv>(scope: &DriverScope<'drv, Sim>, timer: HrTimer<'drv, Sim>) -> Result<(), Error> {
    scope.own(Blinker { timer })?;
    Ok(())
}

fn main() {}
