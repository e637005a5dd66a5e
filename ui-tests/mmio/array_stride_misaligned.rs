// Wrong: all elements of an array but the first are misaligned.
// Instead: a stride that is a multiple of the width of an element.
use driver_scope::registers;

registers! {
    Uart: 0x40 {
        0x20 => rw RING: [u32; 4; stride 6],
    }
}

fn main() {}
