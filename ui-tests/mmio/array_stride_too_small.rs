// Wrong: the elements of an array overlap.
// Instead: a stride that is no less than the size of an element.
use driver_scope::registers;

registers! {
    Uart: 0x40 {
        0x20 => rw RING: [u32; 4; stride 2],
    }
}

fn main() {}
