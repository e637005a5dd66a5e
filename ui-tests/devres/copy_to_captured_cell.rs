// Wrong: the closure of `try_access_with` copies the handle into a cell outside.
// Instead: use it inside the closure, or use `try_access` and keep the guard.
use std::cell::Cell;

use driver_scope::{platform::Sim, Devres, Mmio, Registers};

enum Uart {}
impl Registers for Uart {
    const SIZE: usize = 4;
}

fn steal(outside: &Devres<Mmio<'static, Uart, Sim>, Sim>) {
    let kept: Cell<Option<Mmio<'_, Uart, Sim>>> = Cell::new(None);
    outside.try_access_with(|regs| kept.set(Some(*regs)));
}

fn main() {}
