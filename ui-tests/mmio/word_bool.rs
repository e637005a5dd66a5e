// Wrong: a register is read as `bool`; a device may well answer 2.
// Instead: declare it as `u8`, and ask `regs.read(READY) != 0`.
use driver_scope::{Reg, Registers};

enum Uart {}
impl Registers for Uart {
    const SIZE: usize = 0x20;
}
const READY: Reg<Uart, bool> = Reg::at(0);

fn main() {}
