// Wrong: as `access_in_data`, with a handle that is never dropped. The resource is destroyed before the data all the same.
// Instead: keep the `Bound`, or, if only the driver needs the value, `scope.own(..)` it.
use std::mem::ManuallyDrop;

use driver_scope::{platform::Sim, Driver, DriverScope, Error, Plain};

struct Led;
impl Driver<Sim> for Led {
    type Device = ();
    type Data<'drv> = &'drv u32;
    type Error = Error;

    fn probe<'drv>(_: &'drv (), scope: &DriverScope<'drv, Sim>) -> Result<&'drv u32, Error> {
        let bound = scope.devres::<Plain<u32>>(1)?;
        let bound = scope.alloc(ManuallyDrop::new(bound))?;
        Ok(bound.access(scope))
    }
}

fn main() {}
