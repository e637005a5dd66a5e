// Wrong: a guard goes to another thread. The read section that it stands for ends where it began.
// Instead: take a clone of the `Devres` along, and access it there.
use driver_scope::{platform::Sim, DevresGuard, Mmio, Registers};

enum Uart {}
impl Registers for Uart {
    const SIZE: usize = 4;
}

/// As `std::thread::Scope::spawn`.
fn on_another_thread(_: impl FnOnce() + Send) {}

fn send(guard: DevresGuard<'_, Mmio<'static, Uart, Sim>, Sim>) {
    on_another_thread(move || drop(guard));
}

fn main() {}
