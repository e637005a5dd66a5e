// Wrong: the guard of a resource is cloned: its section would be left twice.
// Instead: access once more: `devres.try_access()`; guards nest.
// Refused: the trait bound `DevresGuard<'_, _, _>: Clone` is not satisfied
use driver_scope::{platform::Sim, DevresGuard, Plain};

fn twice<'a>(guard: &DevresGuard<'a, Plain<u32>, Sim>) -> DevresGuard<'a, Plain<u32>, Sim> {
    DevresGuard::clone(guard)
}

fn main() {}
