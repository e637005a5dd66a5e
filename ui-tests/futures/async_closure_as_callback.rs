// Wrong: a callback is an async closure: what it returns is a future, which nobody would poll.
// Instead: a callback that wakes a task; or `scope.work(..)`, which may sleep.
// Refused: expected `Restart`, found `async` closure body
use driver_scope::{platform::Sim, DriverScope, Error, Restart, Units};

fn probe(scope: &DriverScope<'_, Sim>) -> Result<(), Error> {
    let sleeper = scope.sleeper(1)?;
    scope.hrtimer(async move |_| {
        let _ = sleeper.sleep(1.millis()).await;
        Restart::No
    })?;
    Ok(())
}

fn main() {}
