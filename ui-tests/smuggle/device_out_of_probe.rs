// Wrong: a reference to the device is kept for ever. The device is given back when the driver is removed.
// Instead: an `Arc` inside of the device, of what others share.
// Refused: argument requires that `'drv` must outlive `'static`
use driver_scope::{platform::Sim, Driver, DriverScope, Error, Once};

static DEVICE: Once<&'static String> = Once::new();

struct Keeper;
impl Driver<Sim> for Keeper {
    type Device = String;
    type Data<'drv> = ();
    type Error = Error;

    fn probe<'drv>(device: &'drv String, _: &DriverScope<'drv, Sim>) -> Result<(), Error> {
        let _ = DEVICE.set(device);
        Ok(())
    }
}

fn main() {}
