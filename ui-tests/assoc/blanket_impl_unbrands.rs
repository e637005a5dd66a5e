// Wrong: a trait maps each handle to the one that lives for ever, and so do its methods.
// Instead: a mapping of types maps no values.
// Refused: returning this value requires that `'drv` must outlive `'static`
use driver_scope::{platform::Sim, HrTimer};

trait Unbrand {
    type Unbranded;
    fn unbrand(self) -> Self::Unbranded;
}

impl<'drv> Unbrand for HrTimer<'drv, Sim> {
    type Unbranded = HrTimer<'static, Sim>;
    fn unbrand(self) -> HrTimer<'static, Sim> {
        self
    }
}

fn main() {}
