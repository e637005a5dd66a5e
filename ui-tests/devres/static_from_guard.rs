// Wrong: a function makes a handle that lives for ever out of a borrowed guard.
// Instead: let the compiler name the lifetime: `-> Mmio<'_, Uart, Sim>`.
use driver_scope::{platform::Sim, DevresGuard, Mmio, Registers};

enum Uart {}
impl Registers for Uart {
    const SIZE: usize = 4;
}

fn for_ever(
    guard: &DevresGuard<'_, Mmio<'static, Uart, Sim>, Sim>,
) -> &'static Mmio<'static, Uart, Sim> {
    guard.get()
}

fn main() {}
