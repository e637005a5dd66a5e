// Wrong: a handle is hidden in a `Box<dyn Any>`, whose type has forgotten the lifetime.
// Instead: keep the handle's type; what has to be `Any` must not hold handles.
use std::any::Any;

use driver_scope::{platform::Sim, DriverScope, Error, Restart};

fn hide(scope: &DriverScope<'_, Sim>) -> Result<Box<dyn Any>, Error> {
    let timer = scope.hrtimer(|_| Restart::No)?;
    Ok(Box::new(timer))
}

fn main() {}
