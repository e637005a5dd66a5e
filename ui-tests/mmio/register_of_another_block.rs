// Wrong: a register of one block is used on another.
// Instead: map the block that the register belongs to.
use driver_scope::{platform::Sim, registers, Mmio, Registers};

enum Uart {}
impl Registers for Uart {
    const SIZE: usize = 0x20;
}
registers! {
    Gpio: 0x1000 {
        0xffc => rw DIRECTION: u32,
    }
}

fn direction(uart: Mmio<'_, Uart, Sim>) -> u32 {
    uart.read(DIRECTION)
}

fn main() {}
