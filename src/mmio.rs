//! Device registers, reached by a handle that cannot outlive its scope.

use core::fmt;
use core::marker::PhantomData;
use core::panic::Location;

use crate::error::Error;
use crate::event::Kind;
use crate::platform::{Bus, Platform};
use crate::scope::registry::Registration;
use crate::scope::DriverScope;
use crate::sync::UnsafeCell;

mod reg;
mod word;

pub use reg::{Reg, Registers};
pub use word::Word;

/// A mapped block of registers: a copyable handle, the size of a pointer on a real machine.
///
/// An access has no run-time check and no failure path: the handle cannot outlive the scope, the mapping ends after
/// everything else in the scope has, and a [`Reg`] cannot lie outside its block. No reference to device memory is ever
/// made: the compiler could read through it at any time.
///
/// # Ordering
/// Accesses of one context to one device happen in program order. They are **not** ordered against normal memory, nor against
/// other contexts' accesses.
#[repr(transparent)]
pub struct Mmio<'drv, R, P: Platform> {
    io: <P::Bus as Bus>::Io,
    /// Covariant in `'drv`: a shorter handle to the same registers is harmless.
    _scope: PhantomData<&'drv ()>,
    /// Invariant in `R`, as in [`Reg`].
    _block: PhantomData<fn(R) -> R>,
}

impl<R, P: Platform> Clone for Mmio<'_, R, P> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<R, P: Platform> Copy for Mmio<'_, R, P> {}

struct Mapping<P: Platform> {
    /// Taken by `release`.
    mapping: UnsafeCell<Option<<P::Bus as Bus>::Mapping>>,
}

// SAFETY: a mapping calls nothing.
unsafe impl<P: Platform> Registration<P> for Mapping<P> {
    const KIND: Kind = Kind::Mapping;

    unsafe fn release(&self) -> bool {
        // SAFETY: called once, when nobody uses a handle any more; the node is otherwise only touched at `map`.
        let mapping = self
            .mapping
            .with_mut(|mapping| unsafe { (*mapping).take() });
        mapping.is_some()
    }
}

impl<'drv, P: Platform> DriverScope<'drv, P> {
    /// Maps a region as a block of registers. The scope undoes it when everything that could use it is gone.
    ///
    /// # Errors
    /// [`Error::AlreadyMapped`]; [`Error::RegionTooSmall`] for the block; [`Error::NoMemory`]; [`Error::Closed`]; or the
    /// platform's own. The region is then not mapped.
    #[track_caller]
    pub fn map<R: Registers>(
        &self,
        region: &<P::Bus as Bus>::Region,
    ) -> Result<Mmio<'drv, R, P>, Error> {
        let name = self.next_name(Location::caller());
        let mapping = P::Bus::map(region)?;
        let size = P::Bus::size(&mapping);
        if size < R::SIZE {
            return Err(Error::RegionTooSmall {
                needed: R::SIZE,
                size,
            });
        }
        let io = P::Bus::io(&mapping);
        // SAFETY: `init` writes the item. There is nothing to undo but to drop it again.
        unsafe {
            self.register(
                name,
                |place| {
                    // SAFETY: memory for the item, ours alone.
                    place.write(Mapping::<P> {
                        mapping: UnsafeCell::new(Some(mapping)),
                    });
                    Ok(())
                },
                |place| {
                    // SAFETY: just written, refused, and not seen by anybody else.
                    drop(place.read());
                },
            )?;
        }
        Ok(Mmio {
            io,
            _scope: PhantomData,
            _block: PhantomData,
        })
    }
}

impl<R: Registers, P: Platform> Mmio<'_, R, P> {
    /// Reads a register: one instruction on a real machine.
    #[inline(always)]
    #[must_use = "reading a register may have an effect, but then say so: `let _ = ..`"]
    pub fn read<T: Word>(self, register: Reg<R, T>) -> T {
        // SAFETY: the mapping lasts until the scope's release, after `'drv`, which this handle cannot outlive. A `Reg<R, T>` is
        // aligned and lies inside `R::SIZE`, which `map` compared with the size of the mapping.
        unsafe { P::Bus::read(self.io, register.offset()) }
    }

    /// Writes a register: one instruction on a real machine.
    #[inline(always)]
    pub fn write<T: Word>(self, register: Reg<R, T>, value: T) {
        // SAFETY: as in `read`.
        unsafe { P::Bus::write(self.io, register.offset(), value) }
    }

    /// Reads at an offset that is known at run time only.
    ///
    /// # Errors
    /// [`Error::OutOfBounds`], [`Error::Misaligned`].
    #[inline]
    pub fn try_read<T: Word>(self, offset: usize) -> Result<T, Error> {
        Reg::try_at(offset).map(|register| self.read(register))
    }

    /// Writes at an offset that is known at run time only.
    ///
    /// # Errors
    /// [`Error::OutOfBounds`], [`Error::Misaligned`]; nothing is then written.
    #[inline]
    pub fn try_write<T: Word>(self, offset: usize, value: T) -> Result<(), Error> {
        Reg::try_at(offset).map(|register| self.write(register, value))
    }
}

impl<R, P: Platform> fmt::Debug for Mmio<'_, R, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mmio<{}>", core::any::type_name::<R>())
    }
}
