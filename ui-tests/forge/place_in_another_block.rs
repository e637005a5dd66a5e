// Wrong: a register of a large block is declared to lie in a small one as well, at an offset that nobody checks. Once it compiled.
// Instead: declare the register in each block that it lies in.
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

impl Place<Small> for LAST {
    type Content = Register<u32, ReadWrite>;
    type Item = LAST;
    fn offset(self) -> usize {
        0x1000_0000
    }
}

fn main() {}
