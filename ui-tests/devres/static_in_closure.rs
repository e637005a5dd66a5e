// Wrong: `try_access_with` is asked for a handle that lives for ever, so that it could be kept.
// Instead: `|regs| ..`, or a function that is generic in the lifetime: `fn f(regs: &Mmio<'_, Uart, Sim>)`.
use driver_scope::{platform::Sim, Devres, Mmio, Registers};

enum Uart {}
impl Registers for Uart {
    const SIZE: usize = 4;
}

fn steal(outside: &Devres<Mmio<'static, Uart, Sim>, Sim>) {
    outside.try_access_with(|regs: &Mmio<'static, Uart, Sim>| {
        let _kept: Mmio<'static, Uart, Sim> = *regs;
    });
}

fn main() {}
