// Wrong: a device must stay on its thread (a `MutexGuard` is `Sync`, but not `Send`), but a binding may be removed on another.
// Instead: keep the `Mutex`, and lock it where it is used.
use std::sync::MutexGuard;

use driver_scope::{platform::Sim, Driver, DriverScope, Error};

struct Led;
impl Driver<Sim> for Led {
    type Device = MutexGuard<'static, u32>;
    type Data<'drv> = ();
    type Error = Error;

    fn probe<'drv>(_: &'drv Self::Device, _: &DriverScope<'drv, Sim>) -> Result<(), Error> {
        Ok(())
    }
}

fn main() {}
