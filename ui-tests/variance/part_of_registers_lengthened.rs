// Wrong: a part of a mapping is passed off as one that lives for ever.
// Instead: a part lives as long as the whole: `Mmio<'drv, [u8], P>`.
// Refused: returning this value requires that `'drv` must outlive `'static`
use driver_scope::{platform::Sim, Error, Mmio};

fn upper<'drv>(regs: Mmio<'drv, [u8], Sim>) -> Result<Mmio<'static, [u8], Sim>, Error> {
    Ok(regs.split_at(8)?.1)
}

fn main() {}
