// Wrong: a register that can only be read is modified.
// Instead: declare it `rw`, if the device lets it be written.
use driver_scope::{platform::Sim, registers, Mmio};

registers! {
    Uart: 0x100 {
        0x00 => ro STATUS: u32,
    }
}

fn enable(uart: Mmio<'_, Uart, Sim>) {
    uart.modify(STATUS, |status| status | 1);
}

fn main() {}
