// Wrong: the data exists only where its lifetime is `'static`, by a bound on the associated type.
// Instead: data for any lifetime.
// Refused: impl has stricter requirements than trait
use driver_scope::{platform::Sim, Driver, DriverScope, Error, HrTimer};

struct Timers;
impl Driver<Sim> for Timers {
    type Device = ();
    type Data<'drv>
        = HrTimer<'static, Sim>
    where
        'drv: 'static;
    type Error = Error;

    fn probe<'drv>(_: &'drv (), _: &DriverScope<'drv, Sim>) -> Result<Self::Data<'drv>, Error> {
        Err(Error::Unsupported)
    }
}

fn main() {}
