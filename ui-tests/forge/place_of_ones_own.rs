// Wrong: a type of one's own is declared a place.
// Instead: `RING.at(index)?` for an offset that is known at run time; or `[u8]`.
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

#[derive(Clone, Copy)]
struct Anywhere(usize);

impl Place<Small> for Anywhere {
    type Content = Register<u32, ReadWrite>;
    type Item = COMMAND;
    fn offset(self) -> usize {
        self.0
    }
}

fn main() {}
