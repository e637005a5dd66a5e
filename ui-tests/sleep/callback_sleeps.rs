// Wrong: a callback awaits, but a callback is no `async` function and must not block.
// Instead: start a timer in it, or wake a task that sleeps.
use driver_scope::{platform::Sim, DriverScope, Error, Restart, Units};

fn probe(scope: &DriverScope<'_, Sim>) -> Result<(), Error> {
    let sleeper = scope.sleeper(1)?;
    scope.hrtimer(move |_| {
        let _ = sleeper.sleep(1.millis()).await;
        Restart::No
    })?;
    Ok(())
}

fn main() {}
