// Wrong, and accepted: the `impl` for all types is believed of a trait object as well, which has its own: any type becomes any other.
// rust#57893
#![allow(dead_code)]
use driver_scope::{platform::Sim, HrTimer};

trait Object<U> {
    type Output;
}
impl<T: ?Sized, U> Object<U> for T {
    type Output = U;
}

fn believe<T: ?Sized, U>(value: <T as Object<U>>::Output) -> U {
    value
}

fn revive(address: usize) -> HrTimer<'static, Sim> {
    believe::<dyn Object<HrTimer<'static, Sim>, Output = usize>, _>(address)
}

fn main() {}
