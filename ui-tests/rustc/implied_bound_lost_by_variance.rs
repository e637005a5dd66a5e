// Wrong, and accepted: the bound that `&'a &'b ()` implies is lost when a function becomes a pointer to it.
// rust#25860
#![allow(dead_code)]
use driver_scope::{platform::Sim, HrTimer};

static UNIT: &&() = &&();

fn lengthen<'a, 'b>(_: &'a &'b (), timer: HrTimer<'b, Sim>) -> HrTimer<'a, Sim> {
    timer
}

fn keep(timer: HrTimer<'_, Sim>) -> HrTimer<'static, Sim> {
    let lengthen: for<'a> fn(_, HrTimer<'a, Sim>) -> HrTimer<'static, Sim> = lengthen;
    lengthen(UNIT, timer)
}

fn main() {}
