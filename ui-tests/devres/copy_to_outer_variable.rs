// Wrong: a handle is copied out of a guard into a variable that lives longer.
// Instead: keep the guard as long.
use driver_scope::{platform::Sim, Devres, Mmio, Reg, Registers};

enum Uart {}
impl Registers for Uart {
    const SIZE: usize = 4;
}
const DATA: Reg<Uart, u8> = Reg::at(0);

fn read(outside: &Devres<Mmio<'static, Uart, Sim>, Sim>) -> Option<u8> {
    let mut kept = None;
    if let Some(guard) = outside.try_access() {
        kept = Some(*guard.get());
    }
    kept.map(|regs| regs.read(DATA))
}

fn main() {}
