// Wrong: a sleeper is given to a thread that may outlive the scope.
// Instead: open a thread scope inside `enter`, so that its threads are joined first.
use driver_scope::{platform::Sim, DriverScope, Error};

fn probe(scope: &DriverScope<'_, Sim>) -> Result<(), Error> {
    let sleeper = scope.sleeper(1)?;
    std::thread::spawn(move || sleeper.now());
    Ok(())
}

fn main() {}
