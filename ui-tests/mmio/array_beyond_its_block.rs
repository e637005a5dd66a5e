// Wrong: the last element of an array lies behind the end of the block.
// Instead: correct the number of elements, the stride, or the size of the block.
use driver_scope::registers;

registers! {
    Uart: 0x40 {
        0x00 => rw CONTROL: u32,
        0x20 => rw RING: [u32; 8; stride 8],
    }
}

fn main() {}
