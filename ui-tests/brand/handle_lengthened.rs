// Wrong: a handle is passed off as one that lives for ever.
// Instead: keep its lifetime, or a shorter one, in signatures.
use driver_scope::{platform::Sim, HrTimer};

fn lengthen<'drv>(timer: HrTimer<'drv, Sim>) -> HrTimer<'static, Sim> {
    timer
}

fn main() {}
