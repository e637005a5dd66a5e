// Wrong: the handle that needs no check is passed off as one of a scope with a shorter life. Then its resource could be accessed by that
// scope, and what that scope made be stored in it.
// Instead: pass it on with the lifetime that it has.
use driver_scope::{platform::Sim, Bound, Family};

fn shorten<'s, 'l: 's, F: Family>(bound: Bound<'l, F, Sim>) -> Bound<'s, F, Sim> {
    bound
}

fn main() {}
