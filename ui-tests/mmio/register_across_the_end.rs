// Wrong: the register begins inside its block and ends outside.
// Instead: correct the offset, the width, or the block's `SIZE`.
use driver_scope::{Reg, Registers};

enum Uart {}
impl Registers for Uart {
    const SIZE: usize = 0x24;
}
const STATUS: Reg<Uart, u64> = Reg::at(0x20);

fn main() {}
