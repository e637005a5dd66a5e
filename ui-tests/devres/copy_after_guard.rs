// Wrong: handles are `Copy`, so one is copied out of a guard and used after the guard has been dropped: the registers may be unmapped.
// Instead: drop the guard when the last use is over.
use driver_scope::{platform::Sim, Devres, Mmio, Reg, Registers};

enum Uart {}
impl Registers for Uart {
    const SIZE: usize = 4;
}
const DATA: Reg<Uart, u8> = Reg::at(0);

fn read(outside: &Devres<Mmio<'static, Uart, Sim>, Sim>) -> Option<u8> {
    let guard = outside.try_access()?;
    let regs = *guard.get();
    drop(guard);
    Some(regs.read(DATA))
}

fn main() {}
