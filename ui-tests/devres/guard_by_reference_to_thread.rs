// Wrong: another thread borrows a guard, and would get at the resource by it.
// Instead: take a clone of the `Devres` along, and access it there.
use driver_scope::{platform::Sim, DevresGuard, Mmio, registers};

registers! {
    Uart: 4 {
        0 => rw DATA: u8,
    }
}

/// As `std::thread::Scope::spawn`.
fn on_another_thread(_: impl FnOnce() + Send) {}

fn lend(guard: &DevresGuard<'_, Mmio<'static, Uart, Sim>, Sim>) {
    on_another_thread(move || drop(guard.get().read(DATA)));
}

fn main() {}
