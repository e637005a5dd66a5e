// Wrong: `probe` is written for a scope that lives for ever.
// Instead: `probe` must work for any `'drv`: `scope: &DriverScope<'drv, Sim>`.
use driver_scope::{platform::Sim, Driver, DriverScope, Error};

struct Led;
impl Driver<Sim> for Led {
    type Device = ();
    type Data<'drv> = ();
    type Error = Error;

    fn probe<'drv>(_: &'drv (), _: &DriverScope<'static, Sim>) -> Result<(), Error> {
        Ok(())
    }
}

fn main() {}
