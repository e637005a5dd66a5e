// Wrong: a register is declared in a block whose size was never declared.
// Instead: `impl Registers for Uart { const SIZE: usize = 0x20; }`.
use driver_scope::Reg;

enum Uart {}
const STATUS: Reg<Uart, u32> = Reg::at(0);

fn main() {}
