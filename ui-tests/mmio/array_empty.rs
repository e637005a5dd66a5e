// Wrong: an array without elements.
// Instead: say how many elements there are: `[TYPE; COUNT; stride BYTES]`.
use driver_scope::registers;

registers! {
    Uart: 0x40 {
        0x20 => rw RING: [u32; 0; stride 4],
    }
}

fn main() {}
