// Wrong: the callback gives away what it captured, so it could run but once; a timer may expire again.
// Instead: keep the value in an `Option` and `take()` it, or lend it: `drop(&name)`.
use driver_scope::{platform::Sim, DriverScope, Error, HrTimer, Restart};

fn probe<'drv>(scope: &DriverScope<'drv, Sim>) -> Result<HrTimer<'drv, Sim>, Error> {
    let name = String::from("led");
    scope.hrtimer(move |_| {
        drop(name);
        Restart::No
    })
}

fn main() {}
