// Wrong: the driver's type borrows something. A binding may live for ever.
// Instead: what the driver needs comes with the device, which the binding owns.
use driver_scope::{platform::Sim, Driver, DriverScope, Error};

struct Led<'a>(&'a str);
impl<'a> Driver<Sim> for Led<'a> {
    type Device = ();
    type Data<'drv> = ();
    type Error = Error;

    fn probe<'drv>(_: &'drv (), _: &DriverScope<'drv, Sim>) -> Result<(), Error> {
        Ok(())
    }
}

fn main() {}
