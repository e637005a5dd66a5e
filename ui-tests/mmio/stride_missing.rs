// Wrong: an array of registers without a stride.
// Instead: `[u32; 4; stride 4]`.
use driver_scope::registers;

registers! {
    Uart: 0x40 {
        0x20 => rw RING: [u32; 4],
    }
}

fn main() {}
