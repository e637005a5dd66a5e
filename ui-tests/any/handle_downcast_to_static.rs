// Wrong: a handle goes through `&dyn Any`, and comes out as one that lives for ever.
// Instead: keep the handle's type.
// Refused: coercion requires that `'1` must outlive `'static`
use std::any::Any;

use driver_scope::{platform::Sim, HrTimer};

fn lengthen(timer: &HrTimer<'_, Sim>) -> Option<HrTimer<'static, Sim>> {
    let any: &dyn Any = timer;
    any.downcast_ref().copied()
}

fn main() {}
