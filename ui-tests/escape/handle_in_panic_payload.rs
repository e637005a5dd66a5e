// Wrong: a panic carries a handle out of the scope; whoever catches it holds a handle to nothing.
// Instead: panic with a message.
use driver_scope::{platform::Sim, DriverScope, Error, Restart};

fn probe(scope: &DriverScope<'_, Sim>) -> Result<(), Error> {
    let timer = scope.hrtimer(|_| Restart::No)?;
    std::panic::panic_any(timer)
}

fn main() {}
