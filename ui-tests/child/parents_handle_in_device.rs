// Wrong: a handle of the parent goes into the child's device. The child's code would have it for as long as the device is there, which `unbind` gives
// back to anybody.
// Instead: a `Port` to the parent, whose calls lend the handle; or a `Devres` of it.
use driver_scope::{platform::Sim, Driver, DriverScope, Error, HrTimer, Restart};

struct Function;
impl Driver<Sim> for Function {
    type Device = HrTimer<'static, Sim>;
    type Data<'drv> = ();
    type Error = Error;

    fn probe<'drv>(_: &'drv Self::Device, _: &DriverScope<'drv, Sim>) -> Result<(), Error> {
        Ok(())
    }
}

fn add(scope: &DriverScope<'_, Sim>) -> Result<(), Error> {
    let timer = scope.hrtimer(|_| Restart::No)?;
    scope
        .child::<Function>(timer)
        .map_err(|failed| failed.error)?;
    Ok(())
}

fn main() {}
