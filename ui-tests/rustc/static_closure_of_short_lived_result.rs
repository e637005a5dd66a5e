// Wrong, and accepted: a closure that captures nothing is `'static`, and so is taken to be what it returns.
// rust#84366
#![allow(dead_code)]
use std::fmt::Debug;

use driver_scope::{platform::Sim, HrTimer};

trait Returns {
    type Result;
}
impl<R, F: Fn() -> R> Returns for F {
    type Result = R;
}

fn hide<F: Returns<Result: Debug> + 'static>(_: &F, result: F::Result) -> Box<dyn Debug> {
    Box::new(result)
}

fn keep<'a>(timer: HrTimer<'a, Sim>) -> Box<dyn Debug> {
    let lie = || -> HrTimer<'a, Sim> { unreachable!() };
    hide(&lie, timer)
}

fn main() {}
