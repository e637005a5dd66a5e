// Wrong: a value of another width than the register's is written.
// Instead: declare the register as wide as it is, and convert the value: `u32::from(byte)`.
use driver_scope::{platform::Sim, Mmio, Reg, Registers};

enum Uart {}
impl Registers for Uart {
    const SIZE: usize = 0x20;
}
const DATA: Reg<Uart, u32> = Reg::at(0);

fn send(uart: Mmio<'_, Uart, Sim>, byte: u8) {
    uart.write(DATA, byte);
}

fn main() {}
