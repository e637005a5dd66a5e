// Wrong: a function asks that handles of *every* lifetime live for ever, to be given one that does not.
// Instead: nothing: that is not so.
// Refused: implementation of `Lasting` is not general enough
use driver_scope::{platform::Sim, HrTimer};

trait Lasting: 'static {}
impl Lasting for HrTimer<'static, Sim> {}

fn keep(_: HrTimer<'_, Sim>)
where
    for<'a> HrTimer<'a, Sim>: Lasting,
{
}

fn pass(timer: HrTimer<'_, Sim>) {
    keep(timer);
}

fn main() {}
