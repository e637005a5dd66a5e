// SPDX-License-Identifier: GPL-2.0

//! A driver as a PCI driver of the kernel, and as a module.

use core::fmt;
use core::mem;

use driver_scope::{BindError, Binding, Driver, Lock, PciDevice};
use kernel::bindings;
use kernel::device::Core;
use kernel::driver::Registration;
use kernel::pci;
use kernel::prelude::*;
use kernel::{ModuleMetadata, ThisModule};

use crate::device::Function;
use crate::file::{DeviceFile, Registered};
use crate::platform::{may_sleep, Started};
use crate::Linux;

/// A driver while it is bound to a device: the kernel's data of that device.
pub struct Bound<D: Driver<Linux>, F: DeviceFile<D>, M: ModuleMetadata + 'static> {
    /// Both are taken out by `unbind`.
    parts: Lock<Option<Parts<D, F, M>>, Linux>,
}

struct Parts<D: Driver<Linux>, F: DeviceFile<D>, M: ModuleMetadata + 'static> {
    file: Option<Pin<KBox<Registered<D, F, M>>>>,
    binding: Binding<D, Linux>,
}

/// For `pci::Driver::probe`.
///
/// # Errors
/// The kernel's, and `EIO` if the driver's own `probe` fails; that is told in the log.
pub fn probe<D, F, M>(device: &pci::Device<Core<'_>>) -> Result<Bound<D, F, M>>
where
    D: Driver<Linux, Device = PciDevice<Linux>, Error: fmt::Display>,
    F: DeviceFile<D>,
    M: ModuleMetadata,
{
    let function = Function::new(device, M::NAME)?;
    let described = function.describe().map_err(|_| EINVAL)?;
    // SAFETY: only drivers of a `PciModule` are probed, which has it, and is unregistered, with all drivers unbound, before that is gone.
    let linux = unsafe { Linux::new() };
    let binding = may_sleep(|cx| Binding::bind(linux, described, cx));
    let binding: Binding<D, Linux> = binding.map_err(|BindError { error, .. }| {
        dev_err!(device, "probe: {}\n", core::format_args!("{error}"));
        EIO
    })?;
    let file = if F::EXISTS {
        Some(Registered::new(&binding)?)
    } else {
        None
    };
    Ok(Bound {
        parts: Lock::new(Some(Parts { file, binding })),
    })
}

/// For `pci::Driver::unbind`. (What is left to the drop of the data would come when the PCI core is done with the device.)
pub fn unbind<D: Driver<Linux>, F: DeviceFile<D>, M: ModuleMetadata>(bound: &Bound<D, F, M>) {
    let parts = mem::take(&mut *bound.parts.lock());
    if let Some(Parts { file, binding }) = parts {
        // No more is opened; files that are open stay, and are told.
        drop(file);
        // Whatever it refuses to do here and now it does later, when it is dropped.
        drop(may_sleep(|cx| binding.unbind(cx)));
    }
}

/// A module with a PCI driver: what the macro's is made of.
#[pin_data]
pub struct PciModule<T: pci::Driver + 'static> {
    /// Dropped first, by its place: all devices are unbound then.
    #[pin]
    driver: Registration<pci::Adapter<T>>,
    _started: Started,
}

impl<T: pci::Driver> PciModule<T> {
    /// Starts the platform, then registers the driver.
    pub fn new(name: &'static CStr, module: &'static ThisModule) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            _started: Started::new()?,
            driver <- Registration::new(name, module),
        })
    }
}

/// An entry of the table of devices.
#[must_use]
pub const fn id((vendor, device): (u16, u16)) -> pci::DeviceId {
    const ANY: u32 = !0;
    let raw = bindings::pci_device_id {
        vendor: vendor as u32,
        device: device as u32,
        subvendor: ANY,
        subdevice: ANY,
        class: 0,
        class_mask: 0,
        driver_data: 0,
        override_only: 0,
    };
    // (The kernel crate makes such entries for vendors that it knows.)
    // SAFETY: its type is a transparent wrapper of C's.
    unsafe { mem::transmute::<bindings::pci_device_id, pci::DeviceId>(raw) }
}
