// Wrong: handles are `Copy`, so one is copied out of a guard and used after the guard has been dropped: the registers may be unmapped.
// Instead: drop the guard when the last use is over.
use driver_scope::{platform::Sim, Devres, Mmio, registers};

registers! {
    Uart: 4 {
        0 => rw DATA: u8,
    }
}

fn read(outside: &Devres<Mmio<'static, Uart, Sim>, Sim>) -> Option<u8> {
    let guard = outside.try_access()?;
    let regs = *guard.get();
    drop(guard);
    Some(regs.read(DATA))
}

fn main() {}
