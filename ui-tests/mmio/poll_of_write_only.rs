// Wrong: a register that can only be written is polled.
// Instead: poll the register that the device answers in.
use driver_scope::{platform::Sim, registers, Error, Mmio, Poll};

registers! {
    Uart: 0x100 {
        0x00 => wo COMMAND: u32,
    }
}

fn wait(uart: Mmio<'_, Uart, Sim>, how: Poll<'_, '_, Sim>) -> Result<u32, Error> {
    uart.poll(COMMAND, how, |value| value & 1 != 0)
}

fn main() {}
