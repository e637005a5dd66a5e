// Wrong: a value of another width than the register's is written.
// Instead: declare the register as wide as it is, and convert the value: `u32::from(byte)`.
use driver_scope::{platform::Sim, Mmio, registers};

registers! {
    Uart: 0x20 {
        0 => rw DATA: u32,
    }
}

fn send(uart: Mmio<'_, Uart, Sim>, byte: u8) {
    uart.write(DATA, byte);
}

fn main() {}
