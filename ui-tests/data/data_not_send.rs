// Wrong: the driver's data must stay on its thread (a `MutexGuard` is `Sync`, but not `Send`), but a binding may be removed on another.
// Instead: keep the `Mutex`, and lock it where it is used.
use std::sync::MutexGuard;

use driver_scope::{platform::Sim, Driver, DriverScope, Error};

struct Led;
impl Driver<Sim> for Led {
    type Device = ();
    type Data<'drv> = MutexGuard<'static, u32>;
    type Error = Error;

    fn probe<'drv>(_: &'drv (), _: &DriverScope<'drv, Sim>) -> Result<Self::Data<'drv>, Error> {
        unimplemented!()
    }
}

fn main() {}
