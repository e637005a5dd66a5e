// Wrong: a register that a read clears is read by the way.
// Instead: `uart.take(ERRORS)`: what has been read is nowhere else any more.
use driver_scope::{platform::Sim, registers, Mmio};

registers! {
    Uart: 0x100 {
        0x00 => rc ERRORS: u32,
    }
}

fn errors(uart: Mmio<'_, Uart, Sim>) -> u32 {
    uart.read(ERRORS)
}

fn main() {}
