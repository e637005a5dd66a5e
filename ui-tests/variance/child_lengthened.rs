// Wrong: the handle of a child is passed off as one that lives for ever.
// Instead: write the lifetime: `Child<'drv, D, P>`; for the rest of the world there is `child.port()`.
// Refused: returning this value requires that `'drv` must outlive `'static`
use driver_scope::{platform::Sim, Child, Driver};

fn lengthen<'drv, D: Driver<Sim>>(child: Child<'drv, D, Sim>) -> Child<'static, D, Sim> {
    child
}

fn main() {}
