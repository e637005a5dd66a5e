// Wrong: `probe` asks for a port to its data. A port is one to a driver.
// Instead: `scope.port::<Self>()`.
use driver_scope::{platform::Sim, Driver, DriverScope, Error};

struct LedData;

struct Led;
impl Driver<Sim> for Led {
    type Device = ();
    type Data<'drv> = LedData;
    type Error = Error;

    fn probe<'drv>(_: &'drv (), scope: &DriverScope<'drv, Sim>) -> Result<LedData, Error> {
        let _port = scope.port::<LedData>()?;
        Ok(LedData)
    }
}

fn main() {}
