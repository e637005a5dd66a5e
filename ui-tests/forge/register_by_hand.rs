// Wrong: a register is made by hand, at an offset that nobody checks.
// Instead: `Reg::at(0x1000)`, or `Reg::try_at` for an offset that is known at run time.
use driver_scope::{Reg, Registers};

enum Uart {}
impl Registers for Uart {
    const SIZE: usize = 4;
}

fn main() {
    let _ = Reg::<Uart, u32> { offset: 0x1000 };
}
