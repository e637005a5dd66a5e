// Wrong: a handle is copied out of a guard into a `static`.
// Instead: put the `Devres` there.
use driver_scope::{platform::Sim, Devres, Mmio, Once, Registers};

enum Uart {}
impl Registers for Uart {
    const SIZE: usize = 4;
}

static REGS: Once<Mmio<'static, Uart, Sim>> = Once::new();

fn publish(outside: &Devres<Mmio<'static, Uart, Sim>, Sim>) {
    if let Some(guard) = outside.try_access() {
        let _ = REGS.set(*guard.get());
    }
}

fn main() {}
