// Wrong: the handle that needs no check is passed off as one of a scope with a longer life.
// Instead: pass it on with the lifetime that it has.
use driver_scope::{platform::Sim, Bound, Family};

fn lengthen<'s, 'l: 's, F: Family>(bound: Bound<'s, F, Sim>) -> Bound<'l, F, Sim> {
    bound
}

fn main() {}
