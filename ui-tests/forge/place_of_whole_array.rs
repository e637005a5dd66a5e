// Wrong: an array is declared a place, so that its number of elements does not matter.
// Instead: name the element: `RING.at(index)?`.
use driver_scope::mmio::{Place, ReadWrite, Register};
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

impl Place<Large> for RING {
    type Content = Register<u32, ReadWrite>;
    type Item = RING;
    fn offset(self) -> usize {
        0x1000_0000
    }
}

fn main() {}
