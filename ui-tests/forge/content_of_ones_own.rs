// Wrong: something else than a register, a block or memory is put into a block, with a size of one's own.
// Instead: `Register`, `SubBlock`, `Memory`.
use driver_scope::mmio::{Content};
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

struct Nothing;

impl Content for Nothing {
    const SIZE: usize = 0;
    const ALIGN: usize = 1;
}

fn main() {}
