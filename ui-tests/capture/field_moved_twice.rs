// Wrong: two callbacks each take the same field, which is no handle, and cannot be had twice.
// Instead: `scope.own(Lock::new(..))`, a reference to which is `Copy`.
// Refused: use of moved value: `parts.buffer`
use driver_scope::{platform::Sim, DriverScope, Error, Restart};

struct Parts {
    buffer: Vec<u8>,
}

fn probe(scope: &DriverScope<'_, Sim>, mut parts: Parts) -> Result<(), Error> {
    scope.hrtimer(move |_| {
        parts.buffer.push(1);
        Restart::No
    })?;
    scope.work(move |_| {
        parts.buffer.push(2);
        Restart::No
    })?;
    Ok(())
}

fn main() {}
