// Wrong: the register lies behind the end of its block.
// Instead: correct the offset, or the block's `SIZE`.
use driver_scope::{Reg, Registers};

enum Uart {}
impl Registers for Uart {
    const SIZE: usize = 0x20;
}
const STATUS: Reg<Uart, u32> = Reg::at(0x20);

fn main() {}
