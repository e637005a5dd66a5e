// Wrong: a driver grants itself the right to modify a register whose bits are cleared by writing ones.
// Instead: `clear`.
use driver_scope::mmio::{Modifiable, Register, WriteOneToClear};
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

impl Modifiable<COMMAND> for Register<u32, WriteOneToClear> {}

fn main() {}
