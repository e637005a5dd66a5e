// Wrong: a trait whose supertrait is `'static` is implemented for handles of any lifetime.
// Instead: a trait without that bound.
// Refused: lifetime bound not satisfied
use driver_scope::{platform::Sim, HrTimer};

trait Lasting: 'static {}
impl<'drv> Lasting for HrTimer<'drv, Sim> {}

fn main() {}
