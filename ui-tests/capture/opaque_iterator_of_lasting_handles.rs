// Wrong: an opaque iterator over handles, whose items are said to live for ever.
// Instead: `impl Iterator<Item = HrTimer<'drv, P>>`.
// Refused: returning this value requires that `'a` must outlive `'static`
use driver_scope::{platform::Sim, HrTimer};

fn all<'a>(timers: &'a [HrTimer<'a, Sim>]) -> impl Iterator<Item = HrTimer<'static, Sim>> + 'a {
    timers.iter().map(|timer| *timer)
}

fn main() {}
