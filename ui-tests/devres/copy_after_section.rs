// Wrong: a handle that was got under a read section is used after the section has ended.
// Instead: end the section when the last use is over.
use driver_scope::{platform::Sim, Devres, Mmio, ReadSection, Reg, Registers};

enum Uart {}
impl Registers for Uart {
    const SIZE: usize = 4;
}
const DATA: Reg<Uart, u8> = Reg::at(0);

fn read(outside: &Devres<Mmio<'static, Uart, Sim>, Sim>, sim: &Sim) -> Option<u8> {
    let section = ReadSection::enter(sim);
    let regs = *outside.try_access_with_guard(&section)?;
    drop(section);
    Some(regs.read(DATA))
}

fn main() {}
