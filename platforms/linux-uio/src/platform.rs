//! driver-scope's platform for a user-space driver: `Host` for time and threads, BARs by mmap.
//!
//! Timers are those of the kernel: the timer thread sleeps in a futex with a time-out, which is an hrtimer.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;

use driver_scope::platform::{Bus, DeviceMemory, Host};
use driver_scope::{Error, Word};

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
// Accesses are single volatile ones to device memory, so neither torn nor a data race. `mapped` admits one mapping at a time.
unsafe impl Bus for Pci {
    type Region = Bar;
    type Mapping = MappedBar;
    type Io = DeviceMemory;

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

    fn io(mapping: &MappedBar) -> DeviceMemory {
        DeviceMemory::new(mapping.mapping.base())
    }

    #[inline(always)]
    unsafe fn part(io: DeviceMemory, offset: usize) -> DeviceMemory {
        // SAFETY: (this and those below) the caller's promise.
        unsafe { io.part(offset) }
    }

    #[inline(always)]
    unsafe fn read<T: Word>(io: DeviceMemory, offset: usize) -> T {
        // SAFETY: see `part`.
        unsafe { io.read(offset) }
    }

    #[inline(always)]
    unsafe fn read_relaxed<T: Word>(io: DeviceMemory, offset: usize) -> T {
        // SAFETY: see `part`.
        unsafe { io.read_relaxed(offset) }
    }

    #[inline(always)]
    unsafe fn write<T: Word>(io: DeviceMemory, offset: usize, value: T) {
        // SAFETY: see `part`.
        unsafe { io.write(offset, value) }
    }

    #[inline(always)]
    unsafe fn write_relaxed<T: Word>(io: DeviceMemory, offset: usize, value: T) {
        // SAFETY: see `part`.
        unsafe { io.write_relaxed(offset, value) }
    }
}
