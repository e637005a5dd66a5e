// Wrong: a register of one block is used on another.
// Instead: map the block that the register belongs to.
use driver_scope::{platform::Sim, Mmio, Reg, Registers};

enum Uart {}
impl Registers for Uart {
    const SIZE: usize = 0x20;
}
enum Gpio {}
impl Registers for Gpio {
    const SIZE: usize = 0x1000;
}
const DIRECTION: Reg<Gpio, u32> = Reg::at(0xffc);

fn direction(uart: Mmio<'_, Uart, Sim>) -> u32 {
    uart.read(DIRECTION)
}

fn main() {}
