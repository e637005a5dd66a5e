// Wrong: a handle to registers is passed off as one that lives for ever.
// Instead: keep its lifetime, or a shorter one, in signatures.
use driver_scope::{platform::Sim, Mmio};

fn lengthen<'drv, R>(regs: Mmio<'drv, R, Sim>) -> Mmio<'static, R, Sim> {
    regs
}

fn main() {}
