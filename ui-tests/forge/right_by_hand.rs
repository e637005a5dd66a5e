// Wrong: a driver grants itself the right to read a register that is declared as write-only.
// Instead: correct the declaration: `rw COMMAND: u32`.
use driver_scope::mmio::{Readable, Register, WriteOnly};
use driver_scope::registers;

registers! {
    Small: 0x4 {
        0x00 => wo COMMAND: u32,
    }

    Large: 0x1000 {
        0xffc => rw LAST: u32,
        0x800 => rw RING: [u32; 4; stride 4],
    }
}

impl Readable<COMMAND> for Register<u32, WriteOnly> {}

fn main() {}
