// Wrong: a reference to a register is asked for; the compiler could read through it at any time.
// Instead: `read` and `write`.
use driver_scope::{platform::Sim, Mmio, Reg, Registers};

enum Uart {}
impl Registers for Uart {
    const SIZE: usize = 0x20;
}
const STATUS: Reg<Uart, u32> = Reg::at(0);

fn status<'drv>(uart: Mmio<'drv, Uart, Sim>) -> &'drv u32 {
    &uart[STATUS]
}

fn main() {}
