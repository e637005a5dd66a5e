// SPDX-License-Identifier: GPL-2.0

//! Registers behind BARs.

use core::ptr::NonNull;
use core::sync::atomic::{compiler_fence, Ordering};

use driver_scope::platform::{Barriers, MemoryBus};
use driver_scope::Error;
use kernel::bindings;
use kernel::ffi::{c_int, c_ulong};
use kernel::prelude::*;

use crate::context;
use crate::device::Use;

/// The PCI bus.
pub enum Pci {}

/// A memory BAR of a function.
pub struct Bar {
    function: Use,
    number: u8,
}

impl Bar {
    /// BAR `number`, if it is one in memory.
    pub(crate) fn new(function: Use, number: u8) -> Option<Self> {
        let bar = Bar { function, number };
        // SAFETY: the device is there as long as `function` is; there are 6 BARs. [FOREIGN]
        let flags = unsafe { (*bar.function.as_raw()).resource[usize::from(number)].flags };
        (flags & bindings::IORESOURCE_MEM as c_ulong != 0 && bar.size() > 0).then_some(bar)
    }

    fn index(&self) -> c_int {
        self.number.into()
    }

    fn size(&self) -> usize {
        // SAFETY: as in `new`. [FOREIGN]
        let size = unsafe { bindings::pci_resource_len(self.function.as_raw(), self.index()) };
        usize::try_from(size).unwrap_or(0)
    }
}

/// A BAR that is mapped.
pub struct MappedBar {
    bar: Bar,
    address: NonNull<u8>,
    size: usize,
}

// SAFETY: an address means the same on all CPUs, and what is done with it here may be done by any. [SHARED]
unsafe impl Send for MappedBar {}
// SAFETY: as above. [SHARED]
unsafe impl Sync for MappedBar {}

impl Drop for MappedBar {
    fn drop(&mut self) {
        context::assert_may_sleep();
        let device = self.bar.function.as_raw();
        // SAFETY: mapped and requested by `map`; nobody accesses it any more. [FOREIGN]
        unsafe {
            bindings::pci_iounmap(device, self.address.as_ptr().cast());
            bindings::pci_release_region(device, self.bar.index());
        }
    }
}

/// The barriers of x86, where uncached accesses are not reordered with those of memory, but by the compiler.
pub enum LinuxBarriers {}

// For other machines: those of their `readl` and `writel`.
const _: () = assert!(
    cfg!(target_arch = "x86_64"),
    "its barriers are not known here"
);

// SAFETY: as above; the same as in `readl` and `writel` of Linux on x86. [PROMISE]
unsafe impl Barriers for LinuxBarriers {
    #[inline(always)]
    fn write_barrier() {
        compiler_fence(Ordering::Release);
    }

    #[inline(always)]
    fn read_barrier() {
        compiler_fence(Ordering::Acquire);
    }
}

// SAFETY: what `pci_iomap` maps of a memory BAR is device memory, at a page's begin and uncached, until `pci_iounmap`; single volatile accesses to it are neither torn nor
// data races. `pci_request_region` gives a BAR to one at a time. [PROMISE]
unsafe impl MemoryBus for Pci {
    type Region = Bar;
    type Mapping = MappedBar;
    type Barriers = LinuxBarriers;

    fn map(bar: &Bar) -> Result<MappedBar, Error> {
        context::assert_may_sleep();
        let (device, name) = (bar.function.as_raw(), bar.function.name());
        // SAFETY: the device is there, and its driver bound; the name is a static. [FOREIGN]
        let taken =
            unsafe { bindings::pci_request_region(device, bar.index(), name.as_char_ptr()) };
        if taken != 0 {
            return Err(Error::AlreadyMapped);
        }
        // SAFETY: as above; 0 is all of it. [FOREIGN]
        let address = unsafe { bindings::pci_iomap(device, bar.index(), 0) };
        let Some(address) = NonNull::new(address.cast()) else {
            // SAFETY: just requested. [FOREIGN]
            unsafe { bindings::pci_release_region(device, bar.index()) };
            return Err(Error::NoMemory);
        };
        Ok(MappedBar {
            address,
            size: bar.size(),
            bar: Bar {
                function: bar.function.clone(),
                number: bar.number,
            },
        })
    }

    fn size(mapping: &MappedBar) -> usize {
        mapping.size
    }

    fn address(mapping: &MappedBar) -> NonNull<u8> {
        mapping.address
    }
}
