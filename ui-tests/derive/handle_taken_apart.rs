// Wrong: a handle is taken apart for what is inside.
// Instead: what a handle can do it has methods for.
// Refused: field `node` of struct `HrTimer` is private
use driver_scope::{platform::Sim, HrTimer};

fn node(timer: HrTimer<'_, Sim>) {
    let HrTimer { node: _, .. } = timer;
}

fn main() {}
