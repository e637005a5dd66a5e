// Wrong: the elements of an array in a large block are declared to lie in a small one as well.
// Instead: declare the array in each block that it lies in.
use driver_scope::mmio::{Element, Place, ReadWrite, Register};
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

impl Place<Small> for Element<RING> {
    type Content = Register<u32, ReadWrite>;
    type Item = RING;
    fn offset(self) -> usize {
        0x1000_0000
    }
}

fn main() {}
