// Wrong: a nested block is declared to hold a value, so that it could be read.
// Instead: read the registers inside it.
use driver_scope::mmio::{Holds, SubBlock};
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

impl Holds for SubBlock<Small> {
    type Value = u32;
    const NEVER_ONES: bool = false;
}

fn main() {}
