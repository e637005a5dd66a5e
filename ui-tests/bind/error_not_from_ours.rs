// Wrong: the driver's error type cannot take the crate's own errors.
// Instead: `type Error = driver_scope::Error`, or an enum with `impl From<driver_scope::Error>`.
use driver_scope::{platform::Sim, Driver, DriverScope};

struct Failed;

struct Led;
impl Driver<Sim> for Led {
    type Device = ();
    type Data<'drv> = ();
    type Error = Failed;

    fn probe<'drv>(_: &'drv (), _: &DriverScope<'drv, Sim>) -> Result<(), Failed> {
        Ok(())
    }
}

fn main() {}
