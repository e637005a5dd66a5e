// Wrong: the type of a handle is to be told at run time. That would be the same for handles of all lifetimes.
// Instead: what is told by its type must not hold handles: a `Devres<HrTimer<'static, P>, P>`, or a `Port`.
// Refused: requires that `'drv` must outlive `'static`
use std::any::TypeId;

use driver_scope::{platform::Sim, HrTimer};

fn identify<'drv>(_: HrTimer<'drv, Sim>) -> TypeId {
    TypeId::of::<HrTimer<'drv, Sim>>()
}

fn main() {}
