// Wrong: a handle is given to a thread that may outlive the scope.
// Instead: let a timer of the scope do the work: the scope waits for it.
use driver_scope::{platform::Sim, DriverScope, Error, Restart, Units};

fn probe(scope: &DriverScope<'_, Sim>) -> Result<(), Error> {
    let timer = scope.hrtimer(|_| Restart::No)?;
    std::thread::spawn(move || timer.start(1.millis()));
    Ok(())
}

fn main() {}
