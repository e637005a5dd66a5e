// Wrong: a handle to registers is passed off as one that lives for ever.
// Instead: keep its lifetime, or a shorter one, in signatures.
use driver_scope::{platform::Sim, Mmio, Registers};

fn lengthen<'drv, R: Registers>(regs: Mmio<'drv, R, Sim>) -> Mmio<'static, R, Sim> {
    regs
}

fn main() {}
