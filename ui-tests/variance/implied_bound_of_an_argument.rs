// Wrong: an argument of type `&'a &'b ()` says that `'b` is the longer (rust#25860), and is given one for which it is not.
// Instead: nothing: no lifetime is longer than it is.
// Refused: returning this value requires that `'1` must outlive `'static`
use driver_scope::{platform::Sim, HrTimer};

static UNIT: &&() = &&();

fn lengthen<'a, 'b>(_: &'a &'b (), timer: HrTimer<'b, Sim>) -> HrTimer<'a, Sim> {
    timer
}

fn keep(timer: HrTimer<'_, Sim>) -> HrTimer<'static, Sim> {
    lengthen(UNIT, timer)
}

fn main() {}
