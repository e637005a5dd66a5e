// Wrong: a callback cancels its own timer and would wait for itself to end.
// Instead: return `Restart::No`.
use driver_scope::{platform::Sim, DriverScope, Error, Restart};

fn probe(scope: &DriverScope<'_, Sim>) -> Result<(), Error> {
    let (timer, vacant) = scope.vacant_hrtimer()?;
    let cx = scope.may_sleep();
    vacant.set(scope, move |_| {
        let _ = timer.cancel(cx);
        Restart::No
    })
}

fn main() {}
