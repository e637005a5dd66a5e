// Wrong: a handle is dropped while a guard borrows it. It may be the last, and release the resource.
// Instead: drop the guard first.
use driver_scope::{platform::Sim, Devres, Mmio, registers};

registers! {
    Uart: 4 {
        0 => rw DATA: u8,
    }
}

fn read(outside: Devres<Mmio<'static, Uart, Sim>, Sim>) -> Option<u8> {
    let guard = outside.try_access()?;
    drop(outside);
    Some(guard.get().read(DATA))
}

fn main() {}
