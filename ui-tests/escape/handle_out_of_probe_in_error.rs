// Wrong: a failed probe carries a handle out in its error. The scope ends before the caller sees it.
// Instead: an error says what went wrong, in values: numbers, names.
use driver_scope::{platform::Sim, Driver, DriverScope, Error, HrTimer, Restart};

enum Failed {
    Own(Error),
    Busy(HrTimer<'static, Sim>),
}
impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Failed::Own(error)
    }
}

struct Led;
impl Driver<Sim> for Led {
    type Device = ();
    type Data<'drv> = ();
    type Error = Failed;

    fn probe<'drv>(_: &'drv (), scope: &DriverScope<'drv, Sim>) -> Result<(), Failed> {
        Err(Failed::Busy(scope.hrtimer(|_| Restart::No)?))
    }
}

fn main() {}
