// Wrong: a register is taken from that a read does not change.
// Instead: `uart.read(STATUS)`; or declare it `rc`, if a read clears it.
use driver_scope::{platform::Sim, registers, Mmio};

registers! {
    Uart: 0x100 {
        0x00 => ro STATUS: u32,
    }
}

fn status(uart: Mmio<'_, Uart, Sim>) -> u32 {
    uart.take(STATUS)
}

fn main() {}
