// Wrong, and accepted: what an impl's header implies by a projection is believed, and not checked where the impl is used.
// rust#100051
#![allow(dead_code)]
use driver_scope::{platform::Sim, HrTimer};

trait Trait {
    type Type;
}
impl<T> Trait for T {
    type Type = ();
}

trait Lengthen<'a, 'b> {
    fn lengthen(timer: HrTimer<'a, Sim>) -> HrTimer<'b, Sim>;
}
impl<'a, 'b> Lengthen<'a, 'b> for <&'b &'a () as Trait>::Type
where
    &'b &'a (): Trait,
{
    fn lengthen(timer: HrTimer<'a, Sim>) -> HrTimer<'b, Sim> {
        timer
    }
}

fn keep<'a>(timer: HrTimer<'a, Sim>) -> HrTimer<'static, Sim> {
    <() as Lengthen<'a, 'static>>::lengthen(timer)
}

fn main() {}
