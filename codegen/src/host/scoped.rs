//! Through driver-scope.

use driver_scope::platform::{DeviceMemory, Host};
use driver_scope::{
    Bound, Devres, Driver, DriverScope, Error, Mmio, PciDevice, Platform, Port, Revocable,
};

use crate::scoped::platform::Memory;
use crate::scoped::{Block, RESULT, STATUS};

type Held = Mmio<'static, Block, Host<Memory>>;

#[no_mangle]
fn devres_access<'drv>(
    held: &Bound<'drv, Held, Host<Memory>>,
    scope: &DriverScope<'drv, Host<Memory>>,
) -> u32 {
    held.access(scope).read_relaxed(STATUS)
}

#[no_mangle]
fn devres_wait_idle<'drv>(
    held: &Bound<'drv, Held, Host<Memory>>,
    scope: &DriverScope<'drv, Host<Memory>>,
) -> u32 {
    let regs = *held.access(scope);
    while regs.read_relaxed(STATUS) & 1 != 0 {
        core::hint::spin_loop();
    }
    regs.read_relaxed(RESULT)
}

// Those below have no match by hand: they are looked at for what must not be in them.

#[no_mangle]
fn checked_revocable(object: &Revocable<DeviceMemory, Host<Memory>>) -> Option<u32> {
    object.try_access_with(|address| {
        // SAFETY: this code is looked at, never run.
        unsafe { address.read_relaxed(0x20) }
    })
}

#[no_mangle]
fn checked_devres(held: &Devres<Held, Host<Memory>>) -> Option<u32> {
    held.try_access_with(|regs| regs.read_relaxed(STATUS))
}

#[no_mangle]
fn checked_port(port: &Port<Reader, Host<Memory>>) -> Result<u32, Error> {
    port.call(|regs| regs.read_relaxed(STATUS))
}

/// A driver whose data is the registers.
struct Reader;

impl<P: Platform> Driver<P> for Reader {
    type Device = PciDevice<P>;
    type Data<'drv> = Mmio<'drv, Block, P>;
    type Error = Error;

    fn probe<'drv>(
        device: &'drv PciDevice<P>,
        scope: &DriverScope<'drv, P>,
    ) -> Result<Mmio<'drv, Block, P>, Error> {
        scope.map(device.bar(0)?)
    }
}
