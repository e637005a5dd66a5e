//! A bus to models of devices, for the hosted platforms.

use std::sync::Arc;

use core::fmt;
use core::ptr::NonNull;
use core::sync::atomic::{fence, AtomicBool, Ordering};

use crate::error::Error;
use crate::mmio::Word;
use crate::platform::Bus;

/// A software model of a device: what a region of it answers.
///
/// Called by whatever context accesses the device, several at a time. It may lock, but must not call the driver.
pub trait Model: Send + Sync + 'static {
    /// A read of `width` bytes (1, 2, 4 or 8), aligned, inside the region. Only the low bits of the answer count.
    fn read(&self, offset: u64, width: u8) -> u64;

    /// A write of `width` bytes.
    fn write(&self, offset: u64, width: u8, value: u64);
}

/// The bus of [`Host`](crate::platform::Host) and [`Sim`](crate::platform::Sim): each region is a [`Model`].
#[derive(Debug)]
pub enum Emulated {}

struct Shared {
    model: Arc<dyn Model>,
    size: usize,
    mapped: AtomicBool,
}

/// A region of a modelled device, such as its BAR 0. Clones are the same region.
#[derive(Clone)]
pub struct Region(Arc<Shared>);

impl Region {
    /// A region of `size` bytes that the model answers for.
    pub fn new(model: Arc<dyn Model>, size: usize) -> Self {
        Region(Arc::new(Shared {
            model,
            size,
            mapped: AtomicBool::new(false),
        }))
    }
}

impl fmt::Debug for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Region")
            .field("size", &self.0.size)
            .finish_non_exhaustive()
    }
}

/// A mapped [`Region`].
pub struct Mapped(Arc<Shared>);

impl fmt::Debug for Mapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mapped")
    }
}

impl Drop for Mapped {
    fn drop(&mut self) {
        // Release: pairs with the Acquire in `map`, so that the next mapping comes after all use of this one.
        self.0.mapped.store(false, Ordering::Release);
    }
}

/// The way from an access to its model: the region, and where in it the part begins.
#[derive(Clone, Copy)]
pub struct Io {
    shared: NonNull<Shared>,
    base: usize,
}

// SAFETY: the pointer is only ever used as a shared reference to a `Shared`, which is `Sync`. [SHARED]
unsafe impl Send for Io {}
// SAFETY: as above. [SHARED]
unsafe impl Sync for Io {}

impl fmt::Debug for Io {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Io")
    }
}

// SAFETY: a mapping keeps its region alive and at one place by an `Arc`; `mapped` admits one mapping at a time; accesses go
// through a `Sync` model, which is safe code and so neither tears nor races. [PROMISE]
unsafe impl Bus for Emulated {
    type Region = Region;
    type Mapping = Mapped;
    type Io = Io;

    fn map(region: &Region) -> Result<Mapped, Error> {
        // Acquire: pairs with the Release in the last mapping's drop.
        region
            .0
            .mapped
            .compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed)
            .map_err(|_| Error::AlreadyMapped)?;
        Ok(Mapped(Arc::clone(&region.0)))
    }

    fn size(mapping: &Mapped) -> usize {
        mapping.0.size
    }

    fn io(mapping: &Mapped) -> Io {
        Io {
            shared: NonNull::from(&*mapping.0),
            base: 0,
        }
    }

    unsafe fn part(io: Io, offset: usize) -> Io {
        Io {
            base: io.base + offset,
            ..io
        }
    }

    unsafe fn read<T: Word>(io: Io, offset: usize) -> T {
        // SAFETY: the caller's promise. [CALLER]
        let value = unsafe { Self::read_relaxed(io, offset) };
        // Acquire: pairs with the release of whatever the model told this by, a relaxed store included, so that what its thread wrote before is seen.
        fence(Ordering::Acquire);
        value
    }

    unsafe fn read_relaxed<T: Word>(io: Io, offset: usize) -> T {
        // SAFETY: the mapping has not been dropped, says the caller, and it keeps the region alive. [CALLER]
        let shared = unsafe { io.shared.as_ref() };
        let offset = (io.base + offset) as u64;
        T::truncate(shared.model.read(offset, core::mem::size_of::<T>() as u8))
    }

    unsafe fn write<T: Word>(io: Io, offset: usize, value: T) {
        // Release: pairs with the acquire of a model that hears of this by a relaxed load, so that it sees what was written before.
        fence(Ordering::Release);
        // SAFETY: the caller's promise. [CALLER]
        unsafe { Self::write_relaxed(io, offset, value) }
    }

    unsafe fn write_relaxed<T: Word>(io: Io, offset: usize, value: T) {
        // SAFETY: as in `read_relaxed`. [CALLER]
        let shared = unsafe { io.shared.as_ref() };
        let offset = (io.base + offset) as u64;
        shared
            .model
            .write(offset, core::mem::size_of::<T>() as u8, value.to_u64());
    }
}
