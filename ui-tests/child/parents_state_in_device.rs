// Wrong: state that the parent's scope owns goes into the child's device, by reference.
// Instead: an `Arc` of it in both.
use std::sync::atomic::AtomicU32;

use driver_scope::{platform::Sim, Driver, DriverScope, Error};

struct Function;
impl Driver<Sim> for Function {
    type Device = &'static AtomicU32;
    type Data<'drv> = ();
    type Error = Error;

    fn probe<'drv>(_: &'drv Self::Device, _: &DriverScope<'drv, Sim>) -> Result<(), Error> {
        Ok(())
    }
}

fn add(scope: &DriverScope<'_, Sim>) -> Result<(), Error> {
    let count = scope.own(AtomicU32::new(0))?;
    scope
        .child::<Function>(count)
        .map_err(|failed| failed.error)?;
    Ok(())
}

fn main() {}
