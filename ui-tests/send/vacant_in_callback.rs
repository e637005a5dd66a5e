// Wrong: a callback is to fill a vacant timer later.
// Instead: fill it in `probe`, before the timer is needed; the scope that `set` asks for is not there in a callback.
use driver_scope::{platform::Sim, DriverScope, Error, Restart};

fn probe(scope: &DriverScope<'_, Sim>) -> Result<(), Error> {
    let (_, vacant) = scope.vacant_hrtimer()?;
    scope.hrtimer(move |_| {
        let _ = &vacant;
        Restart::No
    })?;
    Ok(())
}

fn main() {}
