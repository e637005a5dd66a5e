// Wrong: `try_access_with` returns the reference that it lends.
// Instead: return what came of it: `|regs| regs.read(DATA)`.
use driver_scope::{platform::Sim, Devres, Mmio, Registers};

enum Uart {}
impl Registers for Uart {
    const SIZE: usize = 4;
}

fn steal(outside: &Devres<Mmio<'static, Uart, Sim>, Sim>) {
    let _regs = outside.try_access_with(|regs| regs);
}

fn main() {}
