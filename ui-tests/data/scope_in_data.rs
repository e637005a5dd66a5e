// Wrong: the driver's data keeps the scope, so as to register more later.
// Instead: `Binding::with_scope` lends data and scope together, where one may sleep.
use driver_scope::{platform::Sim, Driver, DriverScope, Error};

struct Data<'drv> {
    scope: &'drv DriverScope<'drv, Sim>,
}

struct Led;
impl Driver<Sim> for Led {
    type Device = ();
    type Data<'drv> = Data<'drv>;
    type Error = Error;

    fn probe<'drv>(_: &'drv (), _: &DriverScope<'drv, Sim>) -> Result<Data<'drv>, Error> {
        unimplemented!()
    }
}

fn main() {}
