// Wrong: the scope's loan is claimed to last as long as the driver is bound.
// Instead: `scope: &DriverScope<'drv, Sim>`, which is lent for the call of `probe` only.
use driver_scope::{platform::Sim, Driver, DriverScope, Error};

struct Led;
impl Driver<Sim> for Led {
    type Device = ();
    type Data<'drv> = ();
    type Error = Error;

    fn probe<'drv>(_: &'drv (), _: &'drv DriverScope<'drv, Sim>) -> Result<(), Error> {
        Ok(())
    }
}

fn main() {}
