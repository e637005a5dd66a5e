// SPDX-License-Identifier: GPL-2.0

//! A PCI function, and what refers to it.

use core::ops::Deref;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use driver_scope::PciDevice;
use kernel::bindings;
use kernel::device::Core;
use kernel::error::{to_result, Result};
use kernel::pci;
use kernel::prelude::*;
use kernel::sync::aref::ARef;
use kernel::sync::Arc;

use crate::alive::Alive;
use crate::bus::Bar;
use crate::dma::BusMaster;
use crate::irqs::Line;
use crate::{waiting, Linux};

/// How many interrupts a device is asked to be given.
const IRQS: u32 = 8;

/// A function that a driver is bound to: enabled, and with interrupts.
pub(crate) struct Function {
    device: ARef<pci::Device>,
    name: &'static CStr,
    /// How many interrupts it was given.
    irqs: u32,
    /// Whether its interrupt is a line, which others may have as well.
    shares_its_line: bool,
    /// How many [`Use`]s there are.
    uses: AtomicUsize,
    /// Whether it was kept from memory, at the end of a scope, and has not been given to another since. Relaxed: whoever looks is told by more than that.
    quiet: AtomicBool,
    /// Whether a scope has its DMA. Acquire and Release: who takes it sees what the one before has done.
    dma_taken: AtomicBool,
    _alive: Alive,
}

impl Function {
    /// Enables a device that is being probed.
    pub(crate) fn new(device: &pci::Device<Core<'_>>, name: &'static CStr) -> Result<Arc<Self>> {
        let raw: *mut bindings::pci_dev = as_raw(device);
        // SAFETY: the device is there, and we are its driver. [FOREIGN]
        to_result(unsafe { bindings::pci_enable_device_mem(raw) })?;
        // From here on, dropping this undoes it.
        let mut function = Function {
            device: device.into(),
            name,
            irqs: 0,
            shares_its_line: false,
            uses: AtomicUsize::new(0),
            quiet: AtomicBool::new(false),
            dma_taken: AtomicBool::new(false),
            _alive: Alive::new(),
        };
        // SAFETY: as above. [FOREIGN]
        let irqs =
            unsafe { bindings::pci_alloc_irq_vectors(raw, 1, IRQS, bindings::PCI_IRQ_ALL_TYPES) };
        // A device without any is one, too.
        function.irqs = u32::try_from(irqs).unwrap_or(0);
        // SAFETY: as above. [FOREIGN]
        function.shares_its_line =
            unsafe { bindings::pci_irq_type(raw) } & bindings::PCI_IRQ_INTX != 0;
        Ok(Arc::new(function, GFP_KERNEL)?)
    }

    /// The function as its driver sees it.
    pub(crate) fn describe(self: &Arc<Self>) -> Result<PciDevice<Linux>, driver_scope::Error> {
        // SAFETY: the device is there; these are never written again. [FOREIGN]
        let (vendor, device) = unsafe { ((*self.as_raw()).vendor, (*self.as_raw()).device) };
        let mut described = PciDevice::new(vendor, device).with_dma(BusMaster(Use::new(self)));
        for number in 0..6 {
            if let Some(bar) = Bar::new(Use::new(self), number) {
                described = described.with_bar(number, bar)?;
            }
        }
        for number in 0..self.irqs.min(IRQS) {
            if let Some(line) = Line::new(Use::new(self), number) {
                described = described.with_irq(number as u8, line)?;
            }
        }
        Ok(described)
    }

    /// Waits until nothing refers to it: the end of its driver, which must not come sooner.
    ///
    /// That is at once, unless the driver's removal was put off, or the driver has leaked something.
    pub(crate) fn wait_until_unused(&self) {
        // Acquire: pairs with the Release in the drop of `Use`. What was done by it happens before the device goes.
        let unused = || (self.uses.load(Ordering::Acquire) == 0).then_some(());
        waiting::until(
            &|| {
                pr_err!(
                    "{}: something of its driver still refers to a device that is unbound\n",
                    self.name
                )
            },
            unused,
        );
    }

    /// There as long as this is.
    pub(crate) fn as_raw(&self) -> *mut bindings::pci_dev {
        as_raw(&self.device)
    }

    /// The same as a device of no bus.
    pub(crate) fn device(&self) -> *mut bindings::device {
        // SAFETY: inside of one that is there. [FOREIGN]
        unsafe { &raw mut (*self.as_raw()).dev }
    }

    pub(crate) fn name(&self) -> &'static CStr {
        self.name
    }

    pub(crate) fn shares_its_line(&self) -> bool {
        self.shares_its_line
    }

    /// Lets the device write the messages of its interrupts. False if it was kept from memory before, since it might write more than that.
    #[must_use]
    pub(crate) fn allow_messages(&self) -> bool {
        if self.quiet.load(Ordering::Relaxed) {
            return false;
        }
        // SAFETY: the device is there, and its driver bound. [FOREIGN]
        unsafe { bindings::pci_set_master(self.as_raw()) };
        true
    }

    /// Takes the device's DMA. False if somebody has it.
    #[must_use]
    pub(crate) fn take_dma(&self) -> bool {
        !self.dma_taken.swap(true, Ordering::Acquire)
    }

    /// Lets the device reach memory.
    pub(crate) fn allow_dma(&self) {
        self.quiet.store(false, Ordering::Relaxed);
        // SAFETY: the device is there, and its driver bound. [FOREIGN]
        unsafe { bindings::pci_set_master(self.as_raw()) };
    }

    /// Keeps it from memory.
    pub(crate) fn forbid_dma(&self) {
        self.quiet.store(true, Ordering::Relaxed);
        // SAFETY: as above. [FOREIGN]
        unsafe { bindings::pci_clear_master(self.as_raw()) };
    }

    pub(crate) fn give_dma_back(&self) {
        self.dma_taken.store(false, Ordering::Release);
    }
}

/// A reference to a function, which its driver's end waits for: as long as there is one, the device is there and its driver bound.
pub(crate) struct Use(Arc<Function>);

impl Use {
    fn new(function: &Arc<Function>) -> Self {
        // Relaxed: whoever waits for the last has all those from which others are made.
        function.uses.fetch_add(1, Ordering::Relaxed);
        Use(function.clone())
    }
}

impl Clone for Use {
    fn clone(&self) -> Self {
        Use::new(&self.0)
    }
}

impl Deref for Use {
    type Target = Function;

    fn deref(&self) -> &Function {
        &self.0
    }
}

impl Drop for Use {
    fn drop(&mut self) {
        // Release: see `wait_until_unused`. (The function itself goes with its driver's end, never here.)
        self.0.uses.fetch_sub(1, Ordering::Release);
    }
}

/// The kernel crate's type is a transparent wrapper of C's.
fn as_raw(device: &pci::Device) -> *mut bindings::pci_dev {
    core::ptr::from_ref(device).cast_mut().cast()
}

impl Drop for Function {
    fn drop(&mut self) {
        // Disabled while it still has messages, if it has: so the kernel leaves its interrupt line alone, which it would else take from its routing, and put there again when
        // the next driver enables it, both by interpreting ACPI's code: more work than all the rest.
        // SAFETY: enabled and given by `new`; what referred to them is gone. This keeps the device from memory, if it was not yet. [FOREIGN]
        unsafe {
            bindings::pci_disable_device(self.as_raw());
            if self.irqs > 0 {
                bindings::pci_free_irq_vectors(self.as_raw());
            }
        }
    }
}
