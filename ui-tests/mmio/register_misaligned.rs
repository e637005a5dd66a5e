// Wrong: a register of 4 bytes lies at an offset that is no multiple of 4.
// Instead: correct the offset or the width.
use driver_scope::{Reg, Registers};

enum Uart {}
impl Registers for Uart {
    const SIZE: usize = 0x20;
}
const STATUS: Reg<Uart, u32> = Reg::at(0x06);

fn main() {}
