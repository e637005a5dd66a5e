// Wrong: a pending sleep is cloned: two would have the place of one.
// Instead: another sleep: `sleeper.sleep_until(at)`.
// Refused: the trait bound `driver_scope::Sleep<'_, Sim>: Clone` is not satisfied
use driver_scope::{platform::Sim, Sleep};

#[derive(Clone)]
struct Nap<'drv>(Sleep<'drv, Sim>);

fn main() {}
