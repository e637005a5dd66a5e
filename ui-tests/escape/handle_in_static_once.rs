// Wrong: a handle is put into a `static`, so that the rest of the program can find it after `remove`.
// Instead: put the `Binding` there, and reach the handle by `Binding::with`.
use driver_scope::{platform::Sim, DriverScope, Error, HrTimer, Once, Restart};

static TIMER: Once<HrTimer<'static, Sim>> = Once::new();

fn publish(scope: &DriverScope<'_, Sim>) -> Result<(), Error> {
    let timer = scope.hrtimer(|_| Restart::No)?;
    let _ = TIMER.set(timer);
    Ok(())
}

fn main() {}
