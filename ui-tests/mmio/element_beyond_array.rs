// Wrong: an array has no element of that number. Found when code is generated.
// Instead: a smaller one: they are counted from 0.
use driver_scope::registers;

registers! {
    Uart: 0x100 {
        0x20 => rw RING: [u32; 4; stride 8],
    }
}

fn main() {
    let _ = RING.nth::<4>();
}
