// Wrong: the resource is used through its guard as if the guard were it. A guard does not deref: what it lends is got by a call that
// ties its life to the guard's.
// Instead: `guard.get().read(DATA)`.
use driver_scope::{platform::Sim, Devres, Mmio, registers};

registers! {
    Uart: 4 {
        0 => rw DATA: u8,
    }
}

fn read(outside: &Devres<Mmio<'static, Uart, Sim>, Sim>) -> Option<u8> {
    let guard = outside.try_access()?;
    Some(guard.read(DATA))
}

fn main() {}
