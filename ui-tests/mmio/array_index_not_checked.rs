// Wrong: it is not looked at whether there is an element of that number.
// Instead: `RING.at(index)?`.
use driver_scope::{platform::Sim, registers, Mmio};

registers! {
    Uart: 0x100 {
        0x20 => rw RING: [u32; 4; stride 8],
    }
}

fn element(uart: Mmio<'_, Uart, Sim>, index: usize) -> u32 {
    uart.read(RING.at(index))
}

fn main() {}
