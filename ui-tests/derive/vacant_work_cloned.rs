// Wrong: a struct with the place for a work's callback derives `Clone`: then it could be filled twice.
// Instead: move it to whoever fills it.
// Refused: the trait bound `VacantWork<'_, Sim>: Clone` is not satisfied
use driver_scope::{platform::Sim, VacantWork};

#[derive(Clone)]
struct Later<'drv>(VacantWork<'drv, Sim>);

fn main() {}
