//! Rings of descriptors.

use core::fmt;
use core::marker::PhantomData;
use core::mem;

use crate::error::Error;
use crate::mmio::Word;
use crate::platform::{Barriers, Dma, DmaBlock, Platform};
use crate::Invariant;

/// What the driver and the device pass to each other in a [`DmaRing`]: a value that is made of words by safe code, and taken apart into them.
///
/// A device may write anything, so [`from_words`](Descriptor::from_words) must make something of all words. What it is made of is not to be trusted either.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no descriptor",
    label = "`Descriptor` is not implemented for it",
    note = "say what words it is made of, how it becomes these, and how these become one: `type Words = [u32; 4]`, `to_words`, `from_words`",
    note = "it is never reinterpreted in memory: the device may write anything there, at any time"
)]
pub trait Descriptor: Copy {
    /// An array of `u8`, `u16`, `u32` or `u64` (this one where the machine accesses that at once), as the device has them one after the other; each little-endian.
    type Words: Words;

    /// Which of the words passes ownership: it is written last, and read first. The last one, unless said otherwise.
    const OWNER: usize = Self::Words::COUNT - 1;

    /// Takes it apart. (A big-endian device wants each word swapped.)
    fn to_words(self) -> Self::Words;

    /// Makes one.
    fn from_words(words: Self::Words) -> Self;
}

/// An array of words.
///
/// Sealed: its size in memory is trusted.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no array of words",
    label = "neither `[u8; N]`, `[u16; N]`, `[u32; N]` nor `[u64; N]`"
)]
pub trait Words: Copy + sealed::Words {
    /// What it is an array of.
    type Word: Word;
    /// How many.
    const COUNT: usize;
}

#[diagnostic::do_not_recommend]
impl<W: Word, const N: usize> Words for [W; N] {
    type Word = W;
    const COUNT: usize = N;
}

mod sealed {
    use crate::mmio::Word;

    #[diagnostic::on_unimplemented(
        message = "`Words` cannot be implemented for other types",
        label = "neither `[u8; N]`, `[u16; N]`, `[u32; N]` nor `[u64; N]`"
    )]
    pub trait Words: AsMut<[Self::Item]> + AsRef<[Self::Item]> {
        type Item: Word;
        fn zero() -> Self;
    }

    #[diagnostic::do_not_recommend]
    impl<W: Word, const N: usize> Words for [W; N] {
        type Item = W;
        fn zero() -> Self {
            [W::truncate(0); N]
        }
    }
}

/// A ring of descriptors in memory that the device reads and writes by itself: a copyable handle. See the [module](crate::dma).
///
/// It is an array; that it goes round is up to the driver and the device.
///
/// # Passing ownership
/// One word of a descriptor, [`Descriptor::OWNER`], tells whose it is. [`publish`](DmaRing::publish) writes it after all others, with a barrier between, so that a device that finds
/// itself the owner finds the rest as well. [`observe`](DmaRing::observe) reads it before all others, with a barrier between, so that a driver that finds itself the owner finds what the device has written before.
/// Where a doorbell or a register tells the same, [`set`](DmaRing::set) and [`get`](DmaRing::get) will do.
pub struct DmaRing<'drv, D: Descriptor, P: Platform> {
    block: DmaBlock,
    count: usize,
    /// Covariant in `'drv`: a shorter handle to the same memory is harmless.
    _scope: PhantomData<&'drv ()>,
    /// Invariant in `D`: two types may be subtypes of each other, and be made of different words.
    _descriptor: Invariant<(D, P)>,
}

impl<D: Descriptor, P: Platform> Clone for DmaRing<'_, D, P> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<D: Descriptor, P: Platform> Copy for DmaRing<'_, D, P> {}

// SAFETY: the memory is accessed by `Dma::read` and `Dma::write` alone, which any context may call at the same time as others. No `D` is in it: one is made and
// taken apart by the caller's context. [SHARED]
unsafe impl<D: Descriptor, P: Platform> Send for DmaRing<'_, D, P> {}
// SAFETY: as above. [SHARED]
unsafe impl<D: Descriptor, P: Platform> Sync for DmaRing<'_, D, P> {}

/// The word of a descriptor's.
type WordOf<D> = <<D as Descriptor>::Words as sealed::Words>::Item;

impl<D: Descriptor, P: Platform> DmaRing<'_, D, P> {
    /// How far one descriptor lies from the next, in bytes.
    const STRIDE: usize = mem::size_of::<D::Words>();
    const WORD: usize = mem::size_of::<WordOf<D>>();

    /// # Safety
    /// The block is not freed throughout `'drv`, has room for `count` descriptors, and is aligned as any word asks for.
    pub(super) unsafe fn new(block: DmaBlock, count: usize) -> Self {
        DmaRing {
            block,
            count,
            _scope: PhantomData,
            _descriptor: PhantomData,
        }
    }

    /// Where the device has it: what it is told.
    #[must_use]
    pub fn address(self) -> u64 {
        self.block.device
    }

    /// How many descriptors it has.
    #[must_use]
    pub fn len(self) -> usize {
        self.count
    }

    /// Whether it has none. (It always has one.)
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.count == 0
    }

    /// Where the device has the descriptor `index`, from 0.
    ///
    /// # Errors
    /// [`Error::NoSuchElement`].
    #[inline]
    pub fn address_of(self, index: usize) -> Result<u64, Error> {
        let offset = self.offset(index)?;
        // (A platform promises as many addresses.)
        Ok(self.block.device.wrapping_add(offset as u64))
    }

    /// Writes a descriptor, word for word, without order.
    ///
    /// Context: any.
    ///
    /// # Errors
    /// [`Error::NoSuchElement`]; nothing is then written.
    #[inline]
    pub fn set(self, index: usize, descriptor: D) -> Result<(), Error> {
        let offset = self.offset(index)?;
        for (number, &word) in descriptor.to_words().as_ref().iter().enumerate() {
            // SAFETY: the descriptor is there, and has as many words. [PLACE]
            unsafe { self.write(offset, number, word) };
        }
        Ok(())
    }

    /// Reads a descriptor, word for word, each once, without order: if it is written at the same time, some words may be old and some new.
    ///
    /// Context: any.
    ///
    /// # Errors
    /// [`Error::NoSuchElement`].
    #[inline]
    pub fn get(self, index: usize) -> Result<D, Error> {
        let offset = self.offset(index)?;
        let mut words = <D::Words as sealed::Words>::zero();
        for (number, word) in words.as_mut().iter_mut().enumerate() {
            // SAFETY: as in `set`. [PLACE]
            *word = unsafe { self.read(offset, number) };
        }
        Ok(D::from_words(words))
    }

    /// Writes a descriptor, and passes it to the device: [`Descriptor::OWNER`] last, after all that was written to memory before.
    ///
    /// Context: any.
    ///
    /// # Errors
    /// [`Error::NoSuchElement`]; nothing is then written.
    #[inline]
    pub fn publish(self, index: usize, descriptor: D) -> Result<(), Error> {
        const { has_owner::<D>() };
        let offset = self.offset(index)?;
        let words = descriptor.to_words();
        let words = words.as_ref();
        for (number, &word) in words.iter().enumerate() {
            if number != D::OWNER {
                // SAFETY: as in `set`. [PLACE]
                unsafe { self.write(offset, number, word) };
            }
        }
        <P::Dma as Dma>::Barriers::write_barrier();
        // SAFETY: as in `set`; there is such a word, or this would not compile. [PLACE]
        unsafe { self.write(offset, D::OWNER, words[D::OWNER]) };
        Ok(())
    }

    /// Reads a descriptor that the device may have passed back: [`Descriptor::OWNER`] first, before the other words, and before all that is read from memory later.
    ///
    /// Each word is read once. If the first tells that the descriptor is not the driver's, the others tell nothing.
    ///
    /// Context: any.
    ///
    /// # Errors
    /// [`Error::NoSuchElement`].
    #[inline]
    pub fn observe(self, index: usize) -> Result<D, Error> {
        const { has_owner::<D>() };
        let offset = self.offset(index)?;
        let mut words = <D::Words as sealed::Words>::zero();
        // SAFETY: as in `publish`. [PLACE]
        let owner = unsafe { self.read(offset, D::OWNER) };
        <P::Dma as Dma>::Barriers::read_barrier();
        for (number, word) in words.as_mut().iter_mut().enumerate() {
            *word = if number == D::OWNER {
                owner
            } else {
                // SAFETY: as in `set`. [PLACE]
                unsafe { self.read(offset, number) }
            };
        }
        Ok(D::from_words(words))
    }

    /// Where in the block a descriptor lies.
    #[inline]
    fn offset(self, index: usize) -> Result<usize, Error> {
        if index >= self.count {
            return Err(Error::NoSuchElement {
                index,
                count: self.count,
            });
        }
        Ok(index * Self::STRIDE)
    }

    /// # Safety
    /// A descriptor lies at `offset`, and has a word of this number.
    #[inline(always)]
    unsafe fn read(self, offset: usize, number: usize) -> WordOf<D> {
        // SAFETY: inside the block, says the caller, which is not freed throughout `'drv`. Aligned: the block is, and offsets are multiples of a word. [MAPPED, CALLER]
        unsafe { P::Dma::read(self.block.cpu.add(offset + number * Self::WORD)) }
    }

    /// # Safety
    /// As for `read`.
    #[inline(always)]
    unsafe fn write(self, offset: usize, number: usize, word: WordOf<D>) {
        // SAFETY: as in `read`. [MAPPED, CALLER]
        unsafe { P::Dma::write(self.block.cpu.add(offset + number * Self::WORD), word) }
    }
}

/// Which word passes ownership is one that there is, or this does not compile. (The compiler points at the caller.)
#[track_caller]
const fn has_owner<D: Descriptor>() {
    assert!(
        D::OWNER < <D::Words as Words>::COUNT,
        "`Descriptor::OWNER` names a word that the descriptor does not have"
    );
}

impl<D: Descriptor, P: Platform> fmt::Debug for DmaRing<'_, D, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "DmaRing<{}>({:#x}, {})",
            core::any::type_name::<D>(),
            self.block.device,
            self.count
        )
    }
}
