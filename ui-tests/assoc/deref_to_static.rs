// Wrong: a holder of a handle derefs to a handle that lives for ever.
// Instead: `type Target = HrTimer<'drv, P>`.
// Refused: returning this value requires that `'1` must outlive `'static`
use std::ops::Deref;

use driver_scope::{platform::Sim, HrTimer};

struct Holder<'drv>(HrTimer<'drv, Sim>);

impl Deref for Holder<'_> {
    type Target = HrTimer<'static, Sim>;
    fn deref(&self) -> &HrTimer<'static, Sim> {
        &self.0
    }
}

fn main() {}
