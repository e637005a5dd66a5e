// Wrong: the child's driver borrows from its parent, by a lifetime of its type. A child is of a `'static` driver.
// Instead: the child's device has a `Port` to the parent, or what both share in an `Arc`.
use driver_scope::{platform::Sim, Driver, DriverScope, Error, HrTimer};

struct Function<'p>(HrTimer<'p, Sim>);
impl<'p> Driver<Sim> for Function<'p> {
    type Device = ();
    type Data<'drv> = ();
    type Error = Error;

    fn probe<'drv>(_: &'drv (), _: &DriverScope<'drv, Sim>) -> Result<(), Error> {
        Ok(())
    }
}

fn main() {}
