// Wrong: four bytes are read as an array, which no machine does in one access.
// Instead: declare the register as `u32` and take it apart: `regs.read(MAC).to_le_bytes()`.
use driver_scope::{registers};

registers! {
    Nic: 0x20 {
        0 => rw MAC: [u8; 4],
    }
}

fn main() {}
