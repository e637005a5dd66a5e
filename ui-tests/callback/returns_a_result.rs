// Wrong: the callback returns the `Result` of a start; nobody is there to take an error.
// Instead: handle the error in the callback, and end with a `Restart`.
use driver_scope::{platform::Sim, DriverScope, Error, HrTimer, Units};

fn probe<'drv>(
    scope: &DriverScope<'drv, Sim>,
    other: HrTimer<'drv, Sim>,
) -> Result<HrTimer<'drv, Sim>, Error> {
    scope.hrtimer(move |_| other.start(1.millis()))
}

fn main() {}
