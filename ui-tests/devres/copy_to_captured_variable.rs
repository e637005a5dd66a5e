// Wrong: the closure of `try_access_with` copies the handle into a variable outside.
// Instead: use it inside the closure, or use `try_access` and keep the guard.
use driver_scope::{platform::Sim, Devres, Mmio, registers};

registers! {
    Uart: 4 {
        0 => rw DATA: u8,
    }
}

fn steal(outside: &Devres<Mmio<'static, Uart, Sim>, Sim>) -> Option<u8> {
    let mut kept: Option<Mmio<'_, Uart, Sim>> = None;
    outside.try_access_with(|regs| kept = Some(*regs));
    kept.map(|regs| regs.read(DATA))
}

fn main() {}
