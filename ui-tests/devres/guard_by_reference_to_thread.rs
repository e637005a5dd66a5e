// Wrong: another thread borrows a guard, and would get at the resource by it.
// Instead: take a clone of the `Devres` along, and access it there.
use driver_scope::{platform::Sim, DevresGuard, Mmio, Reg, Registers};

enum Uart {}
impl Registers for Uart {
    const SIZE: usize = 4;
}
const DATA: Reg<Uart, u8> = Reg::at(0);

/// As `std::thread::Scope::spawn`.
fn on_another_thread(_: impl FnOnce() + Send) {}

fn lend(guard: &DevresGuard<'_, Mmio<'static, Uart, Sim>, Sim>) {
    on_another_thread(move || drop(guard.get().read(DATA)));
}

fn main() {}
