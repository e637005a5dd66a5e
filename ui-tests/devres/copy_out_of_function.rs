// Wrong: a function accesses the resource, and returns a handle that should live as long as the `Devres`.
// Instead: return the guard: `Option<DevresGuard<'_, Mmio<'static, Uart, Sim>, Sim>>`.
use driver_scope::{platform::Sim, Devres, Mmio, Registers};

enum Uart {}
impl Registers for Uart {
    const SIZE: usize = 4;
}

fn regs<'a>(outside: &'a Devres<Mmio<'static, Uart, Sim>, Sim>) -> Option<Mmio<'a, Uart, Sim>> {
    let guard = outside.try_access()?;
    Some(*guard.get())
}

fn main() {}
