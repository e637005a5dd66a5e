// Wrong: `port` is not told which driver the scope is one of.
// Instead: `scope.port::<Self>()`.
use driver_scope::{platform::Sim, Driver, DriverScope, Error};

struct Led;
impl Driver<Sim> for Led {
    type Device = ();
    type Data<'drv> = ();
    type Error = Error;

    fn probe<'drv>(_: &'drv (), scope: &DriverScope<'drv, Sim>) -> Result<(), Error> {
        let _port = scope.port()?;
        Ok(())
    }
}

fn main() {}
