//! driver-scope's platform for a user-space driver: `Host` for time and threads, BARs by mmap.
//!
//! Timers are those of the kernel: the timer thread sleeps in a futex with a time-out, which is an hrtimer.

use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;

use driver_scope::platform::{Host, MemoryBus};
use driver_scope::Error;

use crate::sysfs::{Device, Mapping};

/// The platform.
pub type Uio = Host<Pci>;

/// The bus of devices in sysfs.
pub enum Pci {}

/// A memory BAR. Clones are the same BAR.
#[derive(Clone)]
pub struct Bar {
    device: Device,
    number: u8,
    mapped: Arc<AtomicBool>,
}

impl Bar {
    /// BAR `number` of a device. The one value (with its clones) for this BAR: two would not know of each other's mapping.
    pub fn new(device: Device, number: u8) -> Self {
        Bar {
            device,
            number,
            mapped: Arc::default(),
        }
    }
}

/// A mapped BAR.
pub struct MappedBar {
    // Dropped in this order: first unmapped, then free to be mapped again.
    mapping: Mapping,
    _claim: Claim,
}

/// The right to map a BAR, which one at a time has.
struct Claim(Arc<AtomicBool>);

impl Claim {
    fn new(mapped: &Arc<AtomicBool>) -> Result<Self, Error> {
        // Acquire: pairs with the Release in the last claim's drop.
        mapped
            .compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed)
            .map_err(|_| Error::AlreadyMapped)?;
        Ok(Claim(Arc::clone(mapped)))
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        // Release: pairs with the Acquire in `new`.
        self.0.store(false, Ordering::Release);
    }
}

// SAFETY: a mapping lasts until it is dropped, where mmap put it: at a page, so aligned enough. Its length is that of the BAR.
// It is device memory, so single volatile accesses are neither torn nor data races. `mapped` admits one mapping at a time.
unsafe impl MemoryBus for Pci {
    type Region = Bar;
    type Mapping = MappedBar;

    fn map(bar: &Bar) -> Result<MappedBar, Error> {
        let claim = Claim::new(&bar.mapped)?;
        let mapping = bar
            .device
            .map(bar.number)
            .map_err(|error| Error::Platform(error.raw_os_error().unwrap_or(0)))?;
        Ok(MappedBar {
            mapping,
            _claim: claim,
        })
    }

    fn size(mapping: &MappedBar) -> usize {
        mapping.mapping.len()
    }

    fn address(mapping: &MappedBar) -> NonNull<u8> {
        mapping.mapping.base()
    }
}
