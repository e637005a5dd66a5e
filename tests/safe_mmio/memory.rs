//! Devices that are nothing but memory, on a bus with addresses.

use std::cell::UnsafeCell;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;

use driver_scope::platform::{Addressed, DeviceMemory, MachineBarriers, MemoryBus};
use driver_scope::Error;

/// The bus.
#[derive(Debug)]
pub enum Memory {}

/// A region of zeroes; what is written there is read back. Clones are the same region.
#[derive(Clone, Debug)]
pub struct Region(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    words: Box<[UnsafeCell<u64>]>,
    mapped: AtomicBool,
}

// SAFETY: the words are reached by volatile access alone. (Real registers are not Rust's memory, so such accesses never race. These are: a program
// that uses this bus has no two threads that access one register at the same time.)
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}

impl Region {
    /// A region of `words` times 8 bytes.
    pub fn new(words: usize) -> Self {
        Region(Arc::new(Shared {
            words: (0..words).map(|_| UnsafeCell::new(0)).collect(),
            mapped: AtomicBool::new(false),
        }))
    }

    /// Where it lies.
    pub fn start(&self) -> NonNull<u8> {
        NonNull::from(&*self.0.words).cast()
    }

    /// Whether it is mapped.
    pub fn is_mapped(&self) -> bool {
        self.0.mapped.load(Ordering::Acquire)
    }
}

/// A mapped region.
#[derive(Debug)]
pub struct Mapping(Region);

impl Drop for Mapping {
    fn drop(&mut self) {
        // Release: pairs with the Acquire in `map`.
        self.0 .0.mapped.store(false, Ordering::Release);
    }
}

// SAFETY: a mapping keeps its memory, which stays where it is and is aligned as a `u64`; `mapped` admits one at a time. For races see `Shared`.
unsafe impl MemoryBus for Memory {
    type Region = Region;
    type Mapping = Mapping;
    type Barriers = MachineBarriers;

    fn map(region: &Region) -> Result<Mapping, Error> {
        // Acquire: pairs with the Release in the last mapping's drop.
        if region.0.mapped.swap(true, Ordering::Acquire) {
            return Err(Error::AlreadyMapped);
        }
        Ok(Mapping(region.clone()))
    }

    fn size(mapping: &Mapping) -> usize {
        size_of_val(&*mapping.0 .0.words)
    }

    fn address(mapping: &Mapping) -> NonNull<u8> {
        mapping.0.start()
    }
}

// SAFETY: accesses by the bus are volatile ones at this address, so others are as sound. Each region has memory of its own.
unsafe impl Addressed for Memory {
    fn address(io: DeviceMemory) -> NonNull<u8> {
        io.address()
    }
}
