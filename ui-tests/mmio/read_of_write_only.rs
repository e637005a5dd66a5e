// Wrong: a register that can only be written is read.
// Instead: remember what was written; or declare it `rw`, if the device tells it back.
use driver_scope::{platform::Sim, registers, Mmio};

registers! {
    Uart: 0x100 {
        0x00 => wo DATA: u8,
    }
}

fn received(uart: Mmio<'_, Uart, Sim>) -> u8 {
    uart.read(DATA)
}

fn main() {}
