//! Device registers, reached by a handle that cannot outlive its scope.

use core::fmt;
use core::marker::PhantomData;
use core::panic::Location;

use crate::error::Error;
use crate::event::Kind;
use crate::inspect::Details;
use crate::platform::{Bus, Platform};
use crate::scope::registry::Registration;
use crate::scope::DriverScope;
use crate::sync::UnsafeCell;

mod access;
mod block;
mod bytes;
mod declared;
mod macros;
mod poll;
#[cfg(feature = "safe-mmio")]
pub mod safe_mmio;
mod typed;
mod value;
mod word;

#[doc(hidden)]
pub use access::{has_right, AccessRight};
pub use access::{
    ClearedByOnes, ClearedByRead, Holds, Modifiable, ReadClears, ReadOnly, ReadWrite, Readable,
    TellsGone, Writable, WriteOneToClear, WriteOnly,
};
#[doc(hidden)]
pub use block::{described, misfit, Described, Misfit, What};
pub use block::{
    Content, Element, Endian, Item, Many, Memory, One, Place, Register, Registers, Shape, SubBlock,
};
#[doc(hidden)]
pub use declared::declared;
pub use poll::Poll;
pub use value::RegisterValue;
pub use word::Word;

use block::REGION_ALIGN;

/// Mapped registers: a copyable handle, the size of a pointer on a real machine.
///
/// An access has no run-time check and no failure path: the handle cannot outlive the scope, the mapping ends after
/// everything else in the scope has, and a register cannot lie outside its block. No reference to device memory is ever
/// made: the compiler could read through it at any time.
///
/// `R` is a block that [`registers!`](crate::registers) declares; or `[u8]` for a run of device memory whose size is known at run time
/// only (the handle then carries it), whose accesses are checked, and which can be [split](Mmio::split_at), [copied](Mmio::read_bytes) from and to,
/// and [made a block](Mmio::block_at) after one check.
///
/// # Ordering
/// Accesses of one context to one device happen in program order. Towards normal memory they are ordered as Linux's `readl` and
/// `writel` are: when [`read`](Mmio::read) has returned, later reads of memory see what the device had written there before; and when
/// [`write`](Mmio::write) reaches the device, so have all earlier writes to memory (a doorbell that is rung after its descriptor has been
/// filled in). The forms that end in `_relaxed` do not have that, and on most machines are cheaper. See [`Bus`].
///
/// Memory that a device reads or writes is reached by raw pointers, `Cell`s, atomics or volatile accesses: what lies behind a `&mut` the
/// compiler takes for nobody else's, and may keep in registers across any access to the device.
pub struct Mmio<'drv, R: Extent + ?Sized, P: Platform> {
    io: <P::Bus as Bus>::Io,
    len: R::Len,
    /// Covariant in `'drv`: a shorter handle to the same registers is harmless.
    _scope: PhantomData<&'drv ()>,
    /// Invariant in `R`: two blocks may be subtypes of each other, and have different sizes.
    _block: PhantomData<fn(*const R) -> *const R>,
}

impl<R: Extent + ?Sized, P: Platform> Clone for Mmio<'_, R, P> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<R: Extent + ?Sized, P: Platform> Copy for Mmio<'_, R, P> {}

/// What can be mapped: a block of [`Registers`], or `[u8]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no block of registers",
    label = "`Registers` is not implemented for it",
    note = "declare the block: `registers! {{ {Self}: 0x100 {{ 0x00 => ro ID: u32, }} }}`",
    note = "a region whose size is known at run time only is mapped as `[u8]`"
)]
pub trait Extent: sealed::Extent + 'static {
    /// What a handle must remember of the size: nothing, if that is known.
    type Len: Copy + Send + Sync + fmt::Debug;

    /// The size in bytes that a region must have at least.
    #[doc(hidden)]
    const NEEDED: usize;

    /// For a region of `size` bytes.
    #[doc(hidden)]
    fn len(size: usize) -> Self::Len;
}

#[diagnostic::do_not_recommend]
impl<R: Registers> Extent for R {
    type Len = ();
    const NEEDED: usize = R::SIZE;
    fn len(_size: usize) {}
}

#[diagnostic::do_not_recommend]
impl Extent for [u8] {
    type Len = usize;
    const NEEDED: usize = 0;
    fn len(size: usize) -> usize {
        size
    }
}

mod sealed {
    pub trait Extent {}
    impl<R: super::Registers> Extent for R {}
    impl Extent for [u8] {}
}

struct Mapping<P: Platform> {
    /// Taken by `release`.
    mapping: UnsafeCell<Option<<P::Bus as Bus>::Mapping>>,
}

// SAFETY: a mapping calls nothing. [SHUT]
unsafe impl<P: Platform> Registration<P> for Mapping<P> {
    const KIND: Kind = Kind::Mapping;

    fn inspect(&self) -> Details {
        let size = self.mapping.with(|mapping| {
            // SAFETY: only `release` writes the cell, later. [PHASES]
            unsafe { (*mapping).as_ref().map(P::Bus::size) }
        });
        Details::Mapped(size.unwrap_or_default())
    }

    unsafe fn release(&self) -> bool {
        // SAFETY: called once, when nobody uses a handle any more; the node is otherwise only touched at `map`. [PHASES]
        let mapping = self
            .mapping
            .with_mut(|mapping| unsafe { (*mapping).take() });
        mapping.is_some()
    }
}

impl<'drv, P: Platform> DriverScope<'drv, P> {
    /// Maps a region as a block of registers, or as `[u8]`. The scope undoes it when everything that could use it is gone.
    ///
    /// # Errors
    /// [`Error::AlreadyMapped`]; [`Error::RegionTooSmall`] for the block; [`Error::NoMemory`]; [`Error::Closed`]; or the
    /// platform's own. The region is then not mapped.
    #[track_caller]
    pub fn map<R: Extent + ?Sized>(
        &self,
        region: &<P::Bus as Bus>::Region,
    ) -> Result<Mmio<'drv, R, P>, Error> {
        let name = self.next_name(Location::caller());
        let mapping = P::Bus::map(region)?;
        let size = P::Bus::size(&mapping);
        if size < R::NEEDED {
            return Err(Error::RegionTooSmall {
                needed: R::NEEDED,
                size,
            });
        }
        let io = P::Bus::io(&mapping);
        // SAFETY: `init` writes the item. There is nothing to undo but to drop it again. [LISTED]
        unsafe {
            self.register(
                name,
                |place| {
                    // SAFETY: memory for the item, ours alone. [ARENA]
                    place.write(Mapping::<P> {
                        mapping: UnsafeCell::new(Some(mapping)),
                    });
                    Ok(())
                },
                |place| {
                    // SAFETY: just written, refused, and not seen by anybody else. [LISTED]
                    drop(place.read());
                },
            )?;
        }
        // SAFETY: the mapping lasts until the scope's release, after `'drv`; it begins at a multiple of `REGION_ALIGN`, and its size was compared. [PLACE, MAPPED]
        Ok(unsafe { Mmio::new(io, R::len(size)) })
    }
}

impl<R: Extent + ?Sized, P: Platform> Mmio<'_, R, P> {
    /// A handle.
    ///
    /// # Safety
    /// `io` is of a mapping that lasts throughout `'drv`, and of a part of it that is as large as `R` and `len` say, and aligned as `R` asks for
    /// (`[u8]`: to [`REGION_ALIGN`]).
    unsafe fn new(io: <P::Bus as Bus>::Io, len: R::Len) -> Self {
        Mmio {
            io,
            len,
            _scope: PhantomData,
            _block: PhantomData,
        }
    }
}

impl<R: Extent + ?Sized, P: Platform> fmt::Debug for Mmio<'_, R, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mmio<{}>({:?})", core::any::type_name::<R>(), self.len)
    }
}
