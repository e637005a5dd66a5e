// Wrong: the resource is used through a `Devres` without a check; its scope may have ended.
// Instead: `outside.try_access_with(|regs| regs.read(DATA))`.
use driver_scope::{platform::Sim, Devres, Mmio, registers};

registers! {
    Uart: 4 {
        0 => rw DATA: u8,
    }
}

fn read(outside: &Devres<Mmio<'static, Uart, Sim>, Sim>) -> u8 {
    outside.read(DATA)
}

fn main() {}
