// Wrong: a vacant timer is filled by another scope than the one that made it; the closure would end too early.
// Instead: `vacant.set(outer, ..)`.
use driver_scope::{platform::Sim, DriverScope, Error, Restart, TimerContext, Vacant};

fn callback(_: &mut TimerContext<'_, Sim>) -> Restart {
    Restart::No
}

fn fill<'outer: 'inner, 'inner>(
    vacant: Vacant<'outer, Sim>,
    inner: &DriverScope<'inner, Sim>,
) -> Result<(), Error> {
    vacant.set(inner, callback)
}

fn main() {}
