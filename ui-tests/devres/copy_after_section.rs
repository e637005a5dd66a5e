// Wrong: a handle that was got under a read section is used after the section has ended.
// Instead: end the section when the last use is over.
use driver_scope::{platform::Sim, Devres, Mmio, ReadSection, registers};

registers! {
    Uart: 4 {
        0 => rw DATA: u8,
    }
}

fn read(outside: &Devres<Mmio<'static, Uart, Sim>, Sim>, sim: &Sim) -> Option<u8> {
    let section = ReadSection::enter(sim);
    let regs = *outside.try_access_with_guard(&section)?;
    drop(section);
    Some(regs.read(DATA))
}

fn main() {}
