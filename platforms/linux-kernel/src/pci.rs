// SPDX-License-Identifier: GPL-2.0

//! A driver as a PCI driver of the kernel, and as a module.

use core::fmt;
use core::marker::PhantomData;
use core::mem;

use driver_scope::{BindError, Binding, Driver, Lock, PciDevice};
use kernel::bindings;
use kernel::device::Core;
use kernel::driver::Registration;
use kernel::pci;
use kernel::prelude::*;
use kernel::sync::Arc;
use kernel::{ModuleMetadata, ThisModule};

use crate::device::Function;
use crate::file::{DeviceFile, Registered};
use crate::platform::{may_sleep, Started};
use crate::Linux;

/// What a module consists of: see [`pci_module!`](crate::pci_module), which implements this.
pub trait Spec: 'static {
    /// The driver.
    type Driver: Driver<Linux, Device = PciDevice<Linux>, Error: fmt::Display>;
    /// Its device file, or [`NoFile`](crate::NoFile).
    type File: DeviceFile<Self::Driver>;
    /// The module itself.
    type Module: ModuleMetadata + 'static;
    /// The devices.
    const IDS: pci::IdTable<()>;
}

/// A spec as the kernel's driver. Private: to probe a driver needs a `PciModule`.
struct Adapter<S>(PhantomData<S>);

/// A driver while it is bound to a device: the kernel's data of that device.
struct Bound<S: Spec> {
    /// Taken out by `unbind`.
    parts: Lock<Option<Parts<S>>, Linux>,
}

struct Parts<S: Spec> {
    file: Option<Pin<KBox<Registered<S::Driver, S::File, S::Module>>>>,
    binding: Binding<S::Driver, Linux>,
    function: Device,
}

/// The function of a device that is bound; when this is dropped, nothing refers to it any more.
struct Device(Arc<Function>);

impl Drop for Device {
    fn drop(&mut self) {
        self.0.wait_until_unused();
    }
}

impl<S: Spec> pci::Driver for Adapter<S> {
    type IdInfo = ();
    type Data<'bound> = Bound<S>;
    const ID_TABLE: pci::IdTable<()> = S::IDS;

    fn probe<'bound>(
        device: &'bound pci::Device<Core<'_>>,
        _info: Option<&'bound ()>,
    ) -> impl PinInit<Bound<S>, Error> + 'bound {
        bind(device)
    }

    /// (What is left to the drop of the data would come when the PCI core is done with the device.)
    fn unbind<'bound>(_device: &'bound pci::Device<Core<'_>>, bound: Pin<&Bound<S>>) {
        let parts = mem::take(&mut *bound.parts.lock());
        if let Some(Parts {
            file,
            binding,
            function,
        }) = parts
        {
            // No more is opened; files that are open stay, and are told.
            drop(file);
            // Whatever it does not do here and now it does later.
            drop(binding);
            // Waits for that.
            drop(function);
        }
    }
}

fn bind<S: Spec>(device: &pci::Device<Core<'_>>) -> Result<Bound<S>> {
    // Dropped last, also when what follows fails.
    let function = Device(Function::new(device, S::Module::NAME)?);
    let described = function.0.describe().map_err(|_| EINVAL)?;
    // SAFETY: only drivers of a `PciModule` are probed, which has it, and is unregistered, with all drivers unbound, before that is gone. [FOREIGN]
    let linux = unsafe { Linux::new() };
    let binding = may_sleep(|cx| Binding::bind(linux, described, cx));
    let binding: Binding<S::Driver, Linux> = binding.map_err(|BindError { error, .. }| {
        dev_err!(device, "probe: {}\n", core::format_args!("{error}"));
        EIO
    })?;
    let file = if S::File::EXISTS {
        Some(Registered::new(&binding)?)
    } else {
        None
    };
    Ok(Bound {
        parts: Lock::new(Some(Parts {
            file,
            binding,
            function,
        })),
    })
}

/// A module with a PCI driver: what the macro's is made of.
#[pin_data]
pub struct PciModule<S: Spec> {
    /// Dropped first, by its place: all devices are unbound then.
    #[pin]
    driver: Registration<pci::Adapter<Adapter<S>>>,
    _started: Started,
}

impl<S: Spec> PciModule<S> {
    /// Starts the platform, then registers the driver. There can be one in a module.
    pub fn new(module: &'static ThisModule) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            _started: Started::new()?,
            driver <- Registration::new(S::Module::NAME, module),
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
    // SAFETY: its type is a transparent wrapper of C's. [FOREIGN]
    unsafe { mem::transmute::<bindings::pci_device_id, pci::DeviceId>(raw) }
}
