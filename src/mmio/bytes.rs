//! Device memory whose size is known at run time only.

use core::mem;

use crate::bounds;
use crate::error::Error;
use crate::mmio::{Mmio, Registers, Word, REGION_ALIGN};
use crate::platform::{opaque, Bus, Platform};

impl<'drv, P: Platform> Mmio<'drv, [u8], P> {
    /// How many bytes it covers.
    #[must_use]
    pub fn len(self) -> usize {
        self.len
    }

    /// Whether it covers none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len == 0
    }

    /// Takes it for a block of registers from its start on: one check here, none at an access.
    ///
    /// # Errors
    /// [`Error::OutOfBounds`] if the block is larger.
    pub fn block<B: Registers>(self) -> Result<Mmio<'drv, B, P>, Error> {
        self.block_at(0)
    }

    /// Takes what begins at `offset` for a block of registers.
    ///
    /// # Errors
    /// [`Error::Misaligned`] if `offset` is not a multiple of [`Registers::ALIGN`] (told as the width); [`Error::OutOfBounds`] if the block would end
    /// beyond the end.
    pub fn block_at<B: Registers>(self, offset: usize) -> Result<Mmio<'drv, B, P>, Error> {
        const {
            assert!(
                B::ALIGN.is_power_of_two() && B::ALIGN <= REGION_ALIGN,
                "a block's alignment is 1, 2, 4 or 8"
            );
        }
        bounds::check(self.len, offset, B::SIZE, B::ALIGN)?;
        // SAFETY: of the same mapping; the part lies inside this one, is large enough, and aligned as just checked, since this one is to
        // `REGION_ALIGN`, which is a multiple of `ALIGN`. [PLACE, MAPPED]
        Ok(unsafe { Mmio::new(P::Bus::part(self.io, offset), ()) })
    }

    /// Splits it into what lies before `middle` and what lies from there on: two handles that reach no byte in common.
    ///
    /// (This handle is `Copy`, and still reaches both. Give the parts to those who should see no more.)
    ///
    /// # Errors
    /// [`Error::OutOfBounds`] if `middle` lies beyond the end; [`Error::Misaligned`] if it is not a multiple of 8.
    pub fn split_at(self, middle: usize) -> Result<(Self, Self), Error> {
        bounds::check(self.len, middle, 0, REGION_ALIGN)?;
        // SAFETY: two parts of this one, which both begin at a multiple of `REGION_ALIGN`. [PLACE, MAPPED]
        unsafe {
            Ok((
                Mmio::new(self.io, middle),
                Mmio::new(P::Bus::part(self.io, middle), self.len - middle),
            ))
        }
    }

    /// Reads `T` at `offset`, as a little-endian device means it, ordered as [`Mmio::read`] is.
    ///
    /// # Errors
    /// [`Error::OutOfBounds`], [`Error::Misaligned`].
    #[inline]
    pub fn try_read<T: Word>(self, offset: usize) -> Result<T, Error> {
        self.check_word::<T>(offset)?;
        // SAFETY: the mapping lasts throughout `'drv`; the access is aligned and inside, as just checked. [PLACE, MAPPED]
        Ok(unsafe { P::Bus::read(self.io, offset) })
    }

    /// Reads `T` at `offset`, without order against memory.
    ///
    /// # Errors
    /// [`Error::OutOfBounds`], [`Error::Misaligned`].
    #[inline]
    pub fn try_read_relaxed<T: Word>(self, offset: usize) -> Result<T, Error> {
        self.check_word::<T>(offset)?;
        // SAFETY: as in `try_read`. [PLACE, MAPPED]
        Ok(unsafe { P::Bus::read_relaxed(self.io, offset) })
    }

    /// Writes `T` at `offset`, as a little-endian device means it, ordered as [`Mmio::write`] is.
    ///
    /// # Errors
    /// [`Error::OutOfBounds`], [`Error::Misaligned`]; nothing is then written.
    #[inline]
    pub fn try_write<T: Word>(self, offset: usize, value: T) -> Result<(), Error> {
        self.check_word::<T>(offset)?;
        // SAFETY: as in `try_read`. [PLACE, MAPPED]
        unsafe { P::Bus::write(self.io, offset, value) };
        Ok(())
    }

    /// Writes `T` at `offset`, without order against memory.
    ///
    /// # Errors
    /// [`Error::OutOfBounds`], [`Error::Misaligned`]; nothing is then written.
    #[inline]
    pub fn try_write_relaxed<T: Word>(self, offset: usize, value: T) -> Result<(), Error> {
        self.check_word::<T>(offset)?;
        // SAFETY: as in `try_read`. [PLACE, MAPPED]
        unsafe { P::Bus::write_relaxed(self.io, offset, value) };
        Ok(())
    }

    /// Copies from the device, byte for byte, each access as wide as its alignment and the rest allow. Later reads of memory come after it.
    ///
    /// Context: any. Bytes are read once each, in rising order. For a device that wants one width, see [`read_words`](Mmio::read_words).
    ///
    /// # Errors
    /// [`Error::OutOfBounds`]; nothing is then read.
    pub fn read_bytes(self, offset: usize, to: &mut [u8]) -> Result<(), Error> {
        bounds::check(self.len, offset, to.len(), 1)?;
        let (mut at, mut rest) = (offset, to);
        while !rest.is_empty() {
            // SAFETY: inside, as checked. [PLACE]
            unsafe {
                #[cfg(target_pointer_width = "64")]
                if self.load_chunk::<u64, 8>(&mut at, &mut rest) {
                    continue;
                }
                let _ = self.load_chunk::<u32, 4>(&mut at, &mut rest)
                    || self.load_chunk::<u16, 2>(&mut at, &mut rest)
                    || self.load_chunk::<u8, 1>(&mut at, &mut rest);
            }
        }
        Ok(())
    }

    /// Copies to the device, byte for byte, each access as wide as its alignment and the rest allow. It comes after all earlier writes to memory.
    ///
    /// Context: any. Bytes are written once each, in rising order.
    ///
    /// # Errors
    /// [`Error::OutOfBounds`]; nothing is then written.
    pub fn write_bytes(self, offset: usize, from: &[u8]) -> Result<(), Error> {
        bounds::check(self.len, offset, from.len(), 1)?;
        let (mut at, mut rest) = (offset, from);
        while !rest.is_empty() {
            let first = at == offset;
            // SAFETY: inside, as checked. [PLACE]
            unsafe {
                #[cfg(target_pointer_width = "64")]
                if self.store_chunk::<u64, 8>(&mut at, &mut rest, first) {
                    continue;
                }
                let _ = self.store_chunk::<u32, 4>(&mut at, &mut rest, first)
                    || self.store_chunk::<u16, 2>(&mut at, &mut rest, first)
                    || self.store_chunk::<u8, 1>(&mut at, &mut rest, first);
            }
        }
        Ok(())
    }

    /// Copies from the device in accesses of exactly `T`, as a little-endian device means them. Later reads of memory come after it.
    ///
    /// # Errors
    /// [`Error::OutOfBounds`], [`Error::Misaligned`]; nothing is then read.
    pub fn read_words<T: Word>(self, offset: usize, to: &mut [T]) -> Result<(), Error> {
        bounds::check(self.len, offset, mem::size_of_val(to), mem::size_of::<T>())?;
        let Some((last, rest)) = to.split_last_mut() else {
            return Ok(());
        };
        let mut at = offset;
        for word in rest {
            // SAFETY: the mapping lasts throughout `'drv`; inside and aligned, as checked. [PLACE, MAPPED]
            *word = unsafe { P::Bus::read_relaxed(opaque(self.io), at) };
            at += mem::size_of::<T>();
        }
        // SAFETY: as above. [PLACE, MAPPED]
        *last = unsafe { P::Bus::read(self.io, at) };
        Ok(())
    }

    /// Copies to the device in accesses of exactly `T`, as a little-endian device means them. It comes after all earlier writes to memory.
    ///
    /// # Errors
    /// [`Error::OutOfBounds`], [`Error::Misaligned`]; nothing is then written.
    pub fn write_words<T: Word>(self, offset: usize, from: &[T]) -> Result<(), Error> {
        bounds::check(
            self.len,
            offset,
            mem::size_of_val(from),
            mem::size_of::<T>(),
        )?;
        let Some((first, rest)) = from.split_first() else {
            return Ok(());
        };
        // SAFETY: as in `read_words`. [PLACE, MAPPED]
        unsafe { P::Bus::write(self.io, offset, *first) };
        let mut at = offset;
        for word in rest {
            at += mem::size_of::<T>();
            // SAFETY: as in `read_words`. [PLACE, MAPPED]
            unsafe { P::Bus::write_relaxed(opaque(self.io), at, *word) };
        }
        Ok(())
    }

    #[inline]
    fn check_word<T: Word>(self, offset: usize) -> Result<(), Error> {
        bounds::check(self.len, offset, mem::size_of::<T>(), mem::size_of::<T>())
    }

    /// Copies one word of `N` bytes, if `at` is aligned to that and so many are left. The last one of a copy is ordered, and what is ordered after it is so
    /// after all.
    ///
    /// # Safety
    /// What is left lies inside.
    #[inline(always)]
    unsafe fn load_chunk<T: Word, const N: usize>(
        self,
        at: &mut usize,
        rest: &mut &mut [u8],
    ) -> bool {
        if *at % N != 0 || rest.len() < N {
            return false;
        }
        let Some((now, later)) = mem::take(rest).split_first_chunk_mut::<N>() else {
            return false;
        };
        let io = opaque(self.io);
        // SAFETY: the mapping lasts throughout `'drv`; aligned, as just checked; inside, says the caller. [PLACE, MAPPED, CALLER]
        let word: T = unsafe {
            if later.is_empty() {
                P::Bus::read(io, *at)
            } else {
                P::Bus::read_relaxed(io, *at)
            }
        };
        now.copy_from_slice(&word.to_u64().to_le_bytes()[..N]);
        *at += N;
        *rest = later;
        true
    }

    /// Copies one word of `N` bytes, if `at` is aligned to that and so many are left; the first one of a copy ordered.
    ///
    /// # Safety
    /// What is left lies inside.
    #[inline(always)]
    unsafe fn store_chunk<T: Word, const N: usize>(
        self,
        at: &mut usize,
        rest: &mut &[u8],
        ordered: bool,
    ) -> bool {
        if *at % N != 0 {
            return false;
        }
        let Some((now, later)) = rest.split_first_chunk::<N>() else {
            return false;
        };
        let mut bytes = [0; 8];
        bytes[..N].copy_from_slice(now);
        let word = <T as Word>::truncate(u64::from_le_bytes(bytes));
        let io = opaque(self.io);
        // SAFETY: as in `load_chunk`. [PLACE, MAPPED, CALLER]
        unsafe {
            if ordered {
                P::Bus::write(io, *at, word);
            } else {
                P::Bus::write_relaxed(io, *at, word);
            }
        }
        *at += N;
        *rest = later;
        true
    }
}
