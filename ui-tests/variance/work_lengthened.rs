// Wrong: the handle of work is passed off as one that lives for ever.
// Instead: write the lifetime: `Work<'drv, P>`.
// Refused: returning this value requires that `'drv` must outlive `'static`
use driver_scope::{platform::Sim, Work};

fn lengthen<'drv>(work: Work<'drv, Sim>) -> Work<'static, Sim> {
    work
}

fn main() {}
