// Wrong: the driver's data holds an `Rc`; a driver may be removed, and its data dropped, on another thread.
// Instead: the value itself, or `&'drv T` from `scope.own`.
use std::rc::Rc;

use driver_scope::{platform::Sim, Driver, DriverScope, Error};

struct Led;
impl Driver<Sim> for Led {
    type Device = ();
    type Data<'drv> = Rc<u32>;
    type Error = Error;

    fn probe<'drv>(_: &'drv (), _: &DriverScope<'drv, Sim>) -> Result<Rc<u32>, Error> {
        Ok(Rc::new(0))
    }
}

fn main() {}
