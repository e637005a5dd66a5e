// Wrong: a handle is copied out of a guard and given to a thread, which does not end with the guard.
// Instead: give a clone of the `Devres` to the thread, and access it there.
use driver_scope::{platform::Sim, Devres, Mmio, registers};

registers! {
    Uart: 4 {
        0 => rw DATA: u8,
    }
}

/// As `std::thread::spawn`.
fn spawn(_: impl FnOnce() + Send + 'static) {}

fn watch(outside: &Devres<Mmio<'static, Uart, Sim>, Sim>) {
    if let Some(guard) = outside.try_access() {
        let regs = *guard.get();
        spawn(move || drop(regs.read(DATA)));
    }
}

fn main() {}
