// Wrong: an array is read without saying which element.
// Instead: `RING.nth::<3>()`, or `RING.at(index)?`.
use driver_scope::{platform::Sim, registers, Mmio};

registers! {
    Uart: 0x100 {
        0x20 => rw RING: [u32; 4; stride 8],
    }
}

fn first(uart: Mmio<'_, Uart, Sim>) -> u32 {
    uart.read(RING)
}

fn main() {}
