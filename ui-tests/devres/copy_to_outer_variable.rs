// Wrong: a handle is copied out of a guard into a variable that lives longer.
// Instead: keep the guard as long.
use driver_scope::{platform::Sim, Devres, Mmio, registers};

registers! {
    Uart: 4 {
        0 => rw DATA: u8,
    }
}

fn read(outside: &Devres<Mmio<'static, Uart, Sim>, Sim>) -> Option<u8> {
    let mut kept = None;
    if let Some(guard) = outside.try_access() {
        kept = Some(*guard.get());
    }
    kept.map(|regs| regs.read(DATA))
}

fn main() {}
