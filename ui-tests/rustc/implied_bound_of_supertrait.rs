// Wrong, and accepted: a bound for all lifetimes holds for the supertrait without what its trait implied.
// rust#84591
#![allow(dead_code)]
use driver_scope::{platform::Sim, HrTimer};

trait Sub<'a, 'b, R>: Super<'a, 'b> {}
trait Super<'a, 'b> {
    fn lengthen(timer: HrTimer<'a, Sim>) -> HrTimer<'b, Sim>;
}

struct Any;
impl<'a, 'b> Sub<'a, 'b, &'b &'a ()> for Any {}
impl<'a, 'b> Super<'a, 'b> for Any
where
    'a: 'b,
{
    fn lengthen(timer: HrTimer<'a, Sim>) -> HrTimer<'b, Sim> {
        timer
    }
}

fn by_super<'a, 'b, S: for<'x, 'y> Super<'x, 'y>>(timer: HrTimer<'a, Sim>) -> HrTimer<'b, Sim> {
    S::lengthen(timer)
}

fn by_sub<'a, 'b, S: for<'x, 'y> Sub<'x, 'y, &'y &'x ()>>(
    timer: HrTimer<'a, Sim>,
) -> HrTimer<'b, Sim> {
    by_super::<S>(timer)
}

fn keep(timer: HrTimer<'_, Sim>) -> HrTimer<'static, Sim> {
    by_sub::<Any>(timer)
}

fn main() {}
