// Wrong: a handle is hidden in a boxed closure that claims to hold nothing with a lifetime.
// Instead: say that it does: `Box<dyn Fn() + 'drv>`.
use driver_scope::{platform::Sim, DriverScope, Error, Restart, Units};

fn starter<'drv>(scope: &DriverScope<'drv, Sim>) -> Result<Box<dyn Fn() + 'static>, Error> {
    let timer = scope.hrtimer(|_| Restart::No)?;
    Ok(Box::new(move || timer.start(1.millis()).unwrap()))
}

fn main() {}
