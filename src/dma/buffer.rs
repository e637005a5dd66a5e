//! Memory as bytes, and as a block of fields.

use core::fmt;
use core::marker::PhantomData;
use core::mem;

use crate::bounds;
use crate::error::Error;
use crate::mmio::{
    Endian, Extent, Holds, Memory, Place, Readable, RegisterValue, Registers, SubBlock, Word,
    Writable,
};
use crate::platform::{Dma, DmaBlock, Platform};
use crate::Invariant;

/// Memory that a device reads and writes by itself: a copyable handle. See the [module](crate::dma).
///
/// `R` is `[u8]`, for a run of bytes: accesses are checked, and copies go from and to slices. Or it is a block that [`registers!`](crate::registers) declares: fields of a
/// structure in memory instead of registers, by the same names, rights and order of bytes, which cannot lie outside. So a field that only the device writes is declared `ro`.
///
/// Accesses have no order towards each other or the device's registers, but what [the module](crate::dma#order) says.
pub struct DmaBuffer<'drv, R: Extent + ?Sized, P: Platform> {
    block: DmaBlock,
    len: R::Len,
    /// Covariant in `'drv`: a shorter handle to the same memory is harmless.
    _scope: PhantomData<&'drv ()>,
    /// Invariant in `R`: two blocks may be subtypes of each other, and have different sizes.
    _block: PhantomData<fn(*const R) -> *const R>,
    _platform: Invariant<P>,
}

impl<R: Extent + ?Sized, P: Platform> Clone for DmaBuffer<'_, R, P> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<R: Extent + ?Sized, P: Platform> Copy for DmaBuffer<'_, R, P> {}

// SAFETY: the memory is accessed by `Dma::read` and `Dma::write` alone, which any context may call at the same time as others. [SHARED]
unsafe impl<R: Extent + ?Sized, P: Platform> Send for DmaBuffer<'_, R, P> {}
// SAFETY: as above. [SHARED]
unsafe impl<R: Extent + ?Sized, P: Platform> Sync for DmaBuffer<'_, R, P> {}

/// The value of a field at a place in the block `R`.
type ValueAt<G, R> = <<G as Place<R>>::Content as Holds>::Value;

/// The widest word of a copy.
#[cfg(target_pointer_width = "64")]
type Wide = u64;
#[cfg(not(target_pointer_width = "64"))]
type Wide = u32;

const WIDE: usize = mem::size_of::<Wide>();

/// What each part begins at a multiple of.
const PART_ALIGN: usize = 8;

impl<R: Extent + ?Sized, P: Platform> DmaBuffer<'_, R, P> {
    /// # Safety
    /// The block is not freed throughout `'drv`, is as large as `R` and `len` say, and aligned as `R` asks for (`[u8]`: to [`PART_ALIGN`]).
    pub(super) unsafe fn new(block: DmaBlock, len: R::Len) -> Self {
        DmaBuffer {
            block,
            len,
            _scope: PhantomData,
            _block: PhantomData,
            _platform: PhantomData,
        }
    }

    /// Where the device has it: what it is told.
    #[must_use]
    pub fn address(self) -> u64 {
        self.block.device
    }

    /// What lies further on.
    ///
    /// # Safety
    /// `offset` lies inside, or at the end.
    unsafe fn at(self, offset: usize) -> DmaBlock {
        DmaBlock {
            // SAFETY: inside the block or at its end, so it does not wrap. [CALLER]
            cpu: unsafe { self.block.cpu.add(offset) },
            // (A platform promises as many addresses.)
            device: self.block.device.wrapping_add(offset as u64),
        }
    }
}

impl<'drv, P: Platform> DmaBuffer<'drv, [u8], P> {
    /// How many bytes it has.
    #[must_use]
    pub fn len(self) -> usize {
        self.len
    }

    /// Whether it has none. (Only a part may.)
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len == 0
    }

    /// A part of it. (This handle still reaches all.)
    ///
    /// # Errors
    /// [`Error::OutOfBounds`]; [`Error::Misaligned`] if `offset` is not a multiple of 8.
    pub fn part(self, offset: usize, len: usize) -> Result<Self, Error> {
        bounds::check(self.len, offset, len, PART_ALIGN)?;
        // SAFETY: inside, as checked, and of the same block; aligned, since this one is. [PLACE, MAPPED]
        Ok(unsafe { DmaBuffer::new(self.at(offset), len) })
    }

    /// Takes what begins at `offset` for a block of fields.
    ///
    /// # Errors
    /// [`Error::OutOfBounds`] if the block would end beyond the end; [`Error::Misaligned`] if `offset` is not a multiple of 8.
    pub fn block_at<B: Registers>(self, offset: usize) -> Result<DmaBuffer<'drv, B, P>, Error> {
        bounds::check(self.len, offset, B::SIZE, PART_ALIGN)?;
        // SAFETY: as in `part`; as large as the block. (No block asks for more than an alignment of 8: `Place` looks.) [PLACE, MAPPED]
        Ok(unsafe { DmaBuffer::new(self.at(offset), ()) })
    }

    /// Reads a little-endian `T` at `offset`, at once.
    ///
    /// Context: any.
    ///
    /// # Errors
    /// [`Error::OutOfBounds`], [`Error::Misaligned`].
    #[inline]
    pub fn try_read<T: Word>(self, offset: usize) -> Result<T, Error> {
        bounds::check(self.len, offset, mem::size_of::<T>(), mem::size_of::<T>())?;
        // SAFETY: inside and aligned, as checked; not freed throughout `'drv`. [PLACE, MAPPED]
        Ok(unsafe { P::Dma::read(self.at(offset).cpu) })
    }

    /// Writes a little-endian `T` at `offset`, at once.
    ///
    /// Context: any.
    ///
    /// # Errors
    /// [`Error::OutOfBounds`], [`Error::Misaligned`]; nothing is then written.
    #[inline]
    pub fn try_write<T: Word>(self, offset: usize, value: T) -> Result<(), Error> {
        bounds::check(self.len, offset, mem::size_of::<T>(), mem::size_of::<T>())?;
        // SAFETY: as in `try_read`. [PLACE, MAPPED]
        unsafe { P::Dma::write(self.at(offset).cpu, value) };
        Ok(())
    }

    /// Copies into it, byte for byte, in rising order: whole words where they are aligned, single bytes elsewhere.
    ///
    /// Context: any. Who reads at the same time may find some of it old and some new.
    ///
    /// # Errors
    /// [`Error::OutOfBounds`]; nothing is then written.
    pub fn copy_in(self, offset: usize, from: &[u8]) -> Result<(), Error> {
        bounds::check(self.len, offset, from.len(), 1)?;
        let (mut at, mut rest) = (offset, from);
        while let Some((&byte, later)) = rest.split_first() {
            match rest.split_first_chunk::<WIDE>() {
                Some((word, later)) if at % WIDE == 0 => {
                    // SAFETY: inside, as checked, and aligned, since the block is; not freed throughout `'drv`. [PLACE, MAPPED]
                    unsafe { P::Dma::write(self.at(at).cpu, Wide::from_le_bytes(*word)) };
                    (at, rest) = (at + WIDE, later);
                }
                _ => {
                    // SAFETY: as above; a byte is always aligned. [PLACE, MAPPED]
                    unsafe { P::Dma::write(self.at(at).cpu, byte) };
                    (at, rest) = (at + 1, later);
                }
            }
        }
        Ok(())
    }

    /// Copies out of it, byte for byte, in rising order: whole words where they are aligned, single bytes elsewhere. Each is read once.
    ///
    /// Context: any. What is written at the same time may be in it in part.
    ///
    /// # Errors
    /// [`Error::OutOfBounds`]; nothing is then read.
    pub fn copy_out(self, offset: usize, to: &mut [u8]) -> Result<(), Error> {
        bounds::check(self.len, offset, to.len(), 1)?;
        let mut done = 0;
        while done < to.len() {
            let at = offset + done;
            match to[done..].first_chunk_mut::<WIDE>() {
                Some(word) if at % WIDE == 0 => {
                    // SAFETY: as in `copy_in`. [PLACE, MAPPED]
                    *word = unsafe { P::Dma::read::<Wide>(self.at(at).cpu) }.to_le_bytes();
                    done += WIDE;
                }
                _ => {
                    // SAFETY: as in `copy_in`. [PLACE, MAPPED]
                    to[done] = unsafe { P::Dma::read(self.at(at).cpu) };
                    done += 1;
                }
            }
        }
        Ok(())
    }
}

impl<'drv, R: Registers, P: Platform> DmaBuffer<'drv, R, P> {
    /// How many bytes the block covers.
    #[must_use]
    pub const fn size(self) -> usize {
        R::SIZE
    }

    /// Reads a field, at once.
    ///
    /// Context: any.
    #[inline(always)]
    #[must_use]
    pub fn read<G: Place<R>>(self, field: G) -> ValueAt<G, R>
    where
        G::Content: Readable<G::Item>,
    {
        // SAFETY: a `Place` lies inside its block, and is aligned in it as its width asks for; the block is as well, and is not freed throughout `'drv`. [PLACE, MAPPED]
        let word = unsafe { P::Dma::read(self.at(field.offset()).cpu) };
        RegisterValue::from_word(swapped::<R, _>(word))
    }

    /// Writes a field, at once.
    ///
    /// Context: any.
    #[inline(always)]
    pub fn write<G: Place<R>>(self, field: G, value: ValueAt<G, R>)
    where
        G::Content: Writable<G::Item>,
    {
        let word = swapped::<R, _>(value.to_word());
        // SAFETY: as in `read`. [PLACE, MAPPED]
        unsafe { P::Dma::write(self.at(field.offset()).cpu, word) }
    }

    /// A block inside this one.
    #[inline(always)]
    #[must_use]
    pub fn block<G: Place<R, Content = SubBlock<B>>, B: Registers>(
        self,
        block: G,
    ) -> DmaBuffer<'drv, B, P> {
        // SAFETY: a `Place` lies inside its block, is as large as its content, and aligned as that asks for. [PLACE, MAPPED]
        unsafe { DmaBuffer::new(self.at(block.offset()), ()) }
    }

    /// A run of bytes inside the block.
    #[inline(always)]
    #[must_use]
    pub fn memory<G: Place<R, Content = Memory<SIZE>>, const SIZE: usize>(
        self,
        memory: G,
    ) -> DmaBuffer<'drv, [u8], P> {
        // SAFETY: a `Place` lies inside its block, is `SIZE` bytes large, and aligned to 8. [PLACE, MAPPED]
        unsafe { DmaBuffer::new(self.at(memory.offset()), SIZE) }
    }
}

/// Memory is read as a little-endian device means it.
#[inline(always)]
fn swapped<R: Registers, W: Word>(word: W) -> W {
    match R::ENDIAN {
        Endian::Little => word,
        Endian::Big => word.swap_bytes(),
    }
}

impl<R: Extent + ?Sized, P: Platform> fmt::Debug for DmaBuffer<'_, R, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "DmaBuffer<{}>({:#x}, {:?})",
            core::any::type_name::<R>(),
            self.block.device,
            self.len
        )
    }
}
