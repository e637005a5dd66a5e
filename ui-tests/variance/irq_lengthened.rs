// Wrong: an interrupt's handle is passed off as one that lives for ever.
// Instead: write the lifetime: `Irq<'drv, P>`.
// Refused: returning this value requires that `'drv` must outlive `'static`
use driver_scope::{platform::Sim, Irq};

fn lengthen<'drv>(irq: Irq<'drv, Sim>) -> Irq<'static, Sim> {
    irq
}

fn main() {}
