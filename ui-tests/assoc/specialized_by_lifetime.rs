// Wrong: one impl for handles of any lifetime and one for those that live for ever: which of them is taken would depend on a lifetime.
// Instead: one impl, for any lifetime.
// Refused: conflicting implementations of trait `Keep` for type `HrTimer<'static, Sim>`
use driver_scope::{platform::Sim, HrTimer};

trait Keep {
    fn keep(self) -> Option<HrTimer<'static, Sim>>;
}

impl Keep for HrTimer<'static, Sim> {
    fn keep(self) -> Option<HrTimer<'static, Sim>> {
        Some(self)
    }
}

impl<'drv> Keep for HrTimer<'drv, Sim> {
    fn keep(self) -> Option<HrTimer<'static, Sim>> {
        None
    }
}

fn main() {}
