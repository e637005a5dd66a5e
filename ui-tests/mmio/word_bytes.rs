// Wrong: four bytes are read as an array, which no machine does in one access.
// Instead: declare the register as `u32` and take it apart: `regs.read(MAC).to_le_bytes()`.
use driver_scope::{Reg, Registers};

enum Nic {}
impl Registers for Nic {
    const SIZE: usize = 0x20;
}
const MAC: Reg<Nic, [u8; 4]> = Reg::at(0);

fn main() {}
