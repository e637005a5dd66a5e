// Wrong: the driver is written for one platform and bound on another.
// Instead: write it for all of them: `impl<P: Platform> Driver<P> for Led { .. }`.
use driver_scope::platform::{Host, Sim};
use driver_scope::{Binding, Driver, DriverScope, Error, MaySleep};

struct Led;
impl Driver<Host> for Led {
    type Device = ();
    type Data<'drv> = ();
    type Error = Error;

    fn probe<'drv>(_: &'drv (), _: &DriverScope<'drv, Host>) -> Result<(), Error> {
        Ok(())
    }
}

fn bind(sim: Sim, cx: MaySleep<'_>) {
    let _ = Binding::<Led, Sim>::bind(sim, (), cx);
}

fn main() {}
