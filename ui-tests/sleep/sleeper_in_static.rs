// Wrong: a sleeper is kept in a `static`, for whoever wants to sleep.
// Instead: put a port there; its calls are lent the driver's data, and the sleeper in it.
use driver_scope::{platform::Sim, DriverScope, Error, Once, Sleeper};

static SLEEPER: Once<Sleeper<'static, Sim>> = Once::new();

fn probe(scope: &DriverScope<'_, Sim>) -> Result<(), Error> {
    let _ = SLEEPER.set(scope.sleeper(1)?);
    Ok(())
}

fn main() {}
