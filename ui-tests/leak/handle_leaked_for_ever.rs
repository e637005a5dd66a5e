// Wrong: a handle is leaked, and the reference to it is one that lives for ever.
// Instead: a leaked handle is harmless, but no longer than its scope: `&'drv HrTimer<'drv, P>`.
// Refused: returning this value requires that `'1` must outlive `'static`
use driver_scope::{platform::Sim, HrTimer};

fn leak(timer: HrTimer<'_, Sim>) -> &'static HrTimer<'static, Sim> {
    Box::leak(Box::new(timer))
}

fn main() {}
