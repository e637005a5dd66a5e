//! What errors that hold something say of themselves.

use driver_scope::platform::{DmaSpace, Sim};
use driver_scope::{BindError, Binding, Busy, Driver, DriverScope, Error};

#[derive(Debug)]
struct Unwilling;

impl Driver<Sim> for Unwilling {
    type Device = u32;
    type Data<'drv> = ();
    type Error = Error;

    fn probe<'drv>(_: &'drv u32, _: &DriverScope<'drv, Sim>) -> Result<(), Error> {
        Err(Error::NoMemory)
    }
}

#[test]
fn a_driver_that_does_not_bind_says_why() {
    let sim = Sim::new();
    let failed = sim.may_sleep(|cx| Binding::<Unwilling, Sim>::bind(sim.clone(), 7, cx));
    let failed: BindError<Error, u32> = failed.expect_err("it is unwilling");
    assert_eq!(
        failed.to_string(),
        format!("the driver did not bind: {}", Error::NoMemory)
    );
    assert_eq!(failed.device, 7);
}

#[test]
fn who_is_busy_says_with_what() {
    let said = Busy(7).to_string();
    assert!(
        said.contains("callback") && said.contains("port call"),
        "{said}"
    );
}

#[test]
fn a_device_that_reaches_beyond_its_memory_is_told_where() {
    let fault = DmaSpace::new().read(0x1000, &mut [0; 16]).unwrap_err();
    assert_eq!(
        fault.to_string(),
        "the device has no memory of 0x10 bytes at 0x1000"
    );
}
