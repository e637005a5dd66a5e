// Wrong: the closure of `try_access_with` copies the handle into a `Mutex` that others see.
// Instead: put a clone of the `Devres` there.
use std::sync::Mutex;

use driver_scope::{platform::Sim, Devres, Mmio, Registers};

enum Uart {}
impl Registers for Uart {
    const SIZE: usize = 4;
}

fn steal<'a>(
    outside: &'a Devres<Mmio<'static, Uart, Sim>, Sim>,
    shelf: &Mutex<Option<Mmio<'a, Uart, Sim>>>,
) {
    outside.try_access_with(|regs| *shelf.lock().unwrap() = Some(*regs));
}

fn main() {}
