// Wrong: a driver borrows from its `main`, by a lifetime of its type, and there is to be a port to it.
// Instead: a driver is `'static`; what it shares with the rest of the program is in an `Arc` in its device.
// Refused: lifetime bound not satisfied
use driver_scope::{platform::Sim, Driver, DriverScope, Error, Port};

struct Borrows<'a>(&'a u32);
impl<'a> Driver<Sim> for Borrows<'a> {
    type Device = ();
    type Data<'drv> = ();
    type Error = Error;

    fn probe<'drv>(_: &'drv (), _: &DriverScope<'drv, Sim>) -> Result<(), Error> {
        Ok(())
    }
}

fn call(_: &Port<Borrows<'_>, Sim>) {}

fn main() {}
