// Wrong: a function that keeps handles for ever is taken for one that takes any handle.
// Instead: a function that takes any handle: `fn(HrTimer<'_, P>)`, which can keep none.
// Refused: one type is more general than the other
use driver_scope::{platform::Sim, HrTimer, Once};

static KEPT: Once<HrTimer<'static, Sim>> = Once::new();

fn keep(timer: HrTimer<'static, Sim>) {
    let _ = KEPT.set(timer);
}

fn pass(timer: HrTimer<'_, Sim>) {
    let any: for<'a> fn(HrTimer<'a, Sim>) = keep;
    any(timer);
}

fn main() {}
