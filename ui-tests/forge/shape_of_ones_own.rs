// Wrong: an array is given a shape of one's own.
// Instead: `One`, or `Many<COUNT, STRIDE>`.
use driver_scope::mmio::{Shape};
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

struct Endless;

impl Shape for Endless {
    const COUNT: usize = usize::MAX;
    const STRIDE: usize = 0;
}

fn main() {}
