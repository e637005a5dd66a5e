// Wrong: a struct with a timer's place for a callback derives `Clone`: then it could be filled twice.
// Instead: move it to whoever fills it.
// Refused: the trait bound `driver_scope::Vacant<'_, Sim>: Clone` is not satisfied
use driver_scope::{platform::Sim, HrTimer, Vacant};

#[derive(Clone)]
struct Pair<'drv> {
    timer: HrTimer<'drv, Sim>,
    place: Vacant<'drv, Sim>,
}

fn main() {}
