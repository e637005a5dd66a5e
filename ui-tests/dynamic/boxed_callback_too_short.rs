// Wrong: a boxed callback that may borrow for less than the scope's life.
// Instead: `+ 'drv`.
// Refused: explicit lifetime required in the type of `callback`
use driver_scope::{platform::Sim, DriverScope, Error, Restart, TimerContext};

type Callback<'a> = Box<dyn FnMut(&mut TimerContext<'_, Sim>) -> Restart + Send + 'a>;

fn register<'drv>(scope: &DriverScope<'drv, Sim>, callback: Callback<'_>) -> Result<(), Error> {
    scope.hrtimer(callback)?;
    Ok(())
}

fn main() {}
