// Wrong: a timer is given two callbacks.
// Instead: a timer for each; or one callback that decides what to do.
use driver_scope::{platform::Sim, DriverScope, Error, Restart, Vacant};

fn fill<'drv>(scope: &DriverScope<'drv, Sim>, vacant: Vacant<'drv, Sim>) -> Result<(), Error> {
    vacant.set(scope, |_| Restart::No)?;
    vacant.set(scope, |_| Restart::No)
}

fn main() {}
