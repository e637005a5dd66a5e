// Wrong: a boxed callback whose type does not say that it may run on another thread.
// Instead: `Box<dyn FnMut(&mut TimerContext<'_, P>) -> Restart + Send + 'drv>`.
// Refused: `dyn for<'a, 'b> FnMut(&'a mut TimerContext<'b, Sim>) -> Restart` cannot be sent between threads safely
use driver_scope::{platform::Sim, DriverScope, Error, Restart, TimerContext};

type Callback<'drv> = Box<dyn FnMut(&mut TimerContext<'_, Sim>) -> Restart + 'drv>;

fn register<'drv>(scope: &DriverScope<'drv, Sim>, callback: Callback<'drv>) -> Result<(), Error> {
    scope.hrtimer(callback)?;
    Ok(())
}

fn main() {}
