// Wrong: a handle is put into the device, which `unbind` gives back.
// Instead: into the driver's data.
// Refused: argument requires that `'drv` must outlive `'static`
use std::sync::Mutex;

use driver_scope::{platform::Sim, Driver, DriverScope, Error, HrTimer, Restart};

struct Device {
    timer: Mutex<Option<HrTimer<'static, Sim>>>,
}

struct Keeper;
impl Driver<Sim> for Keeper {
    type Device = Device;
    type Data<'drv> = ();
    type Error = Error;

    fn probe<'drv>(device: &'drv Device, scope: &DriverScope<'drv, Sim>) -> Result<(), Error> {
        *device.timer.lock().unwrap() = Some(scope.hrtimer(|_| Restart::No)?);
        Ok(())
    }
}

fn main() {}
