// Wrong: the alignment of a block is no power of two.
// Instead: 1, 2, 4 or 8.
use driver_scope::registers;

registers! {
    Timer: 0x20 align 3 {
        0x08 => ro TIME: u8,
    }
}

fn main() {}
