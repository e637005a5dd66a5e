// Wrong: an action of a fake keeps the driver's handle, and the fake outlives the driver.
// Instead: an action is lent the fake: `|regs| regs.get(STATUS)`.
use driver_scope::platform::{Fake, Sim};
use driver_scope::*;

registers! {
    Regs: 0x8 {
        0x0 => rw STATUS: u32,
        0x4 => rw OTHER: u32,
    }
}

fn keep(fake: &Fake<Regs>, regs: Mmio<'_, Regs, Sim>) {
    fake.on_read(STATUS, move |_| regs.read(OTHER));
}

fn main() {}
