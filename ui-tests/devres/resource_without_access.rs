// Wrong: the resource is used through a `Devres` without a check; its scope may have ended.
// Instead: `outside.try_access_with(|regs| regs.read(DATA))`.
use driver_scope::{platform::Sim, Devres, Mmio, Reg, Registers};

enum Uart {}
impl Registers for Uart {
    const SIZE: usize = 4;
}
const DATA: Reg<Uart, u8> = Reg::at(0);

fn read(outside: &Devres<Mmio<'static, Uart, Sim>, Sim>) -> u8 {
    outside.read(DATA)
}

fn main() {}
