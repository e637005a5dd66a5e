//! driver-scope's platform for a user-space driver: `Host` for time and threads, BARs by mmap.
//!
//! Timers are those of the kernel: the timer thread sleeps in a futex with a time-out, which is an hrtimer.

use std::fs::File;
use std::io;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;

use driver_scope::platform::{Host, MachineBarriers, MemoryBus};
use driver_scope::Error;

use crate::mapping::Mapping;

/// The platform, with a way to memory.
pub type User<D> = Host<Pci, D>;

/// The bus of devices whose BARs are parts of files.
pub enum Pci {}

/// A memory BAR. Clones are the same BAR.
#[derive(Clone)]
pub struct Bar(Arc<Part>);

struct Part {
    file: File,
    offset: u64,
    len: usize,
    mapped: AtomicBool,
}

impl Bar {
    /// The BAR that is this part of a file, at a multiple of the size of a page. The one value (with its clones) for it: two would not know of each other's mapping.
    #[must_use]
    pub fn new(file: File, offset: u64, len: usize) -> Self {
        Bar(Arc::new(Part {
            file,
            offset,
            len,
            mapped: AtomicBool::new(false),
        }))
    }
}

/// A mapped BAR.
pub struct MappedBar {
    // Dropped in this order: first unmapped, then free to be mapped again.
    mapping: Mapping,
    _claim: Claim,
}

/// The right to map a BAR, which one at a time has.
struct Claim(Bar);

impl Claim {
    fn new(bar: &Bar) -> Result<Self, Error> {
        // Acquire: pairs with the Release in the last claim's drop.
        bar.0
            .mapped
            .compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed)
            .map_err(|_| Error::AlreadyMapped)?;
        Ok(Claim(bar.clone()))
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        // Release: pairs with the Acquire in `new`.
        self.0 .0.mapped.store(false, Ordering::Release);
    }
}

// SAFETY: a mapping lasts until it is dropped, where mmap put it: at a page, so aligned enough. Its length is that of the BAR.
// It is device memory, so single volatile accesses are neither torn nor data races. `mapped` admits one mapping at a time. [PROMISE]
unsafe impl MemoryBus for Pci {
    type Region = Bar;
    type Mapping = MappedBar;
    type Barriers = MachineBarriers;

    fn map(bar: &Bar) -> Result<MappedBar, Error> {
        let claim = Claim::new(bar)?;
        let Part {
            file, offset, len, ..
        } = &*bar.0;
        let mapping = Mapping::of_file(file, *offset, *len).map_err(platform_error)?;
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

/// The kernel's error as the crate's.
#[must_use]
pub fn platform_error(error: io::Error) -> Error {
    Error::Platform(error.raw_os_error().unwrap_or(0))
}
