// Wrong: the driver's data holds a `Cell`; every thread that has the `Binding` may look at the data at once.
// Instead: an atomic, or a `driver_scope::Lock`.
use std::cell::Cell;

use driver_scope::{platform::Sim, Driver, DriverScope, Error};

struct Led;
impl Driver<Sim> for Led {
    type Device = ();
    type Data<'drv> = Cell<u32>;
    type Error = Error;

    fn probe<'drv>(_: &'drv (), _: &DriverScope<'drv, Sim>) -> Result<Cell<u32>, Error> {
        Ok(Cell::new(0))
    }
}

fn main() {}
