// Wrong: a handle is copied out of a guard and given to a thread, which does not end with the guard.
// Instead: give a clone of the `Devres` to the thread, and access it there.
use driver_scope::{platform::Sim, Devres, Mmio, Reg, Registers};

enum Uart {}
impl Registers for Uart {
    const SIZE: usize = 4;
}
const DATA: Reg<Uart, u8> = Reg::at(0);

/// As `std::thread::spawn`.
fn spawn(_: impl FnOnce() + Send + 'static) {}

fn watch(outside: &Devres<Mmio<'static, Uart, Sim>, Sim>) {
    if let Some(guard) = outside.try_access() {
        let regs = *guard.get();
        spawn(move || drop(regs.read(DATA)));
    }
}

fn main() {}
