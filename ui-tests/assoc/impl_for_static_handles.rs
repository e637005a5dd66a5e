// Wrong: a trait is implemented for the handles that live for ever, and called on one that does not.
// Instead: implement it for any lifetime: `impl Keep for HrTimer<'_, P>`.
// Refused: argument requires that `'1` must outlive `'static`
use driver_scope::{platform::Sim, HrTimer};

trait Keep {
    fn keep(self) -> HrTimer<'static, Sim>;
}

impl Keep for HrTimer<'static, Sim> {
    fn keep(self) -> HrTimer<'static, Sim> {
        self
    }
}

fn keep(timer: HrTimer<'_, Sim>) -> HrTimer<'static, Sim> {
    timer.keep()
}

fn main() {}
