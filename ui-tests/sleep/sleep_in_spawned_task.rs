// Wrong: a task that may outlive the scope holds a sleep.
// Instead: keep the work in the driver's data, and let the task poll it through a `Port`.
use std::future::Future;

use driver_scope::{platform::Sim, DriverScope, Error, Units};

/// As an executor's `spawn`.
fn spawn(_: impl Future<Output = Result<(), Error>> + Send + 'static) {}

fn probe(scope: &DriverScope<'_, Sim>) -> Result<(), Error> {
    let sleeper = scope.sleeper(1)?;
    spawn(async move { sleeper.sleep(1.millis()).await });
    Ok(())
}

fn main() {}
