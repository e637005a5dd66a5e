// Wrong: the device holds a `Cell`; callbacks and the owner of the `Binding` may look at the device at once.
// Instead: an atomic, or a `driver_scope::Lock`.
use std::cell::Cell;

use driver_scope::{platform::Sim, Driver, DriverScope, Error};

struct Led;
impl Driver<Sim> for Led {
    type Device = Cell<u32>;
    type Data<'drv> = ();
    type Error = Error;

    fn probe<'drv>(_: &'drv Cell<u32>, _: &DriverScope<'drv, Sim>) -> Result<(), Error> {
        Ok(())
    }
}

fn main() {}
