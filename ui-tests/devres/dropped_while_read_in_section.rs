// Wrong: the last handle of a resource may be dropped while what it lent under a read section is still used: that releases the resource.
// Instead: keep the `Devres` as long.
use driver_scope::{platform::Sim, Devres, Mmio, ReadSection, registers};

registers! {
    Uart: 4 {
        0 => rw DATA: u8,
    }
}

fn read(outside: Devres<Mmio<'static, Uart, Sim>, Sim>, sim: &Sim) -> Option<u8> {
    let section = ReadSection::enter(sim);
    let regs = *outside.try_access_with_guard(&section)?;
    drop(outside);
    Some(regs.read(DATA))
}

fn main() {}
