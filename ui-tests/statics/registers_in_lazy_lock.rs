// Wrong: registers are put into a list of all devices, which is made at its first use and never dropped.
// Instead: a list of `Devres<Mmio<'static, R, P>, P>`.
// Refused: argument requires that `'1` must outlive `'static`
use std::sync::{LazyLock, Mutex};

use driver_scope::{platform::Sim, Mmio};

static ALL: LazyLock<Mutex<Vec<Mmio<'static, [u8], Sim>>>> = LazyLock::new(Mutex::default);

fn publish(regs: Mmio<'_, [u8], Sim>) {
    ALL.lock().unwrap().push(regs);
}

fn main() {}
