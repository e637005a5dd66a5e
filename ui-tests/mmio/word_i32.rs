// Wrong: a register is read as `i32`.
// Instead: declare it as `u32`, and convert the value: `regs.read(LEVEL) as i32`.
use driver_scope::{Reg, Registers};

enum Uart {}
impl Registers for Uart {
    const SIZE: usize = 0x20;
}
const LEVEL: Reg<Uart, i32> = Reg::at(0);

fn main() {}
