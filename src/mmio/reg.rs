use core::fmt;
use core::marker::PhantomData;
use core::mem;

use crate::error::Error;
use crate::mmio::Word;

/// A block of registers: a type that stands for it, and its size.
///
/// ```
/// use driver_scope::{Reg, Registers};
///
/// pub enum Uart {}
/// impl Registers for Uart {
///     const SIZE: usize = 0x20;
/// }
/// pub const STATUS: Reg<Uart, u32> = Reg::at(0x04);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no block of registers",
    label = "`Registers` is not implemented for it",
    note = "declare the block: `enum {Self} {{}}  impl Registers for {Self} {{ const SIZE: usize = ..; }}`"
)]
pub trait Registers: 'static {
    /// How many bytes the block covers. A region that is mapped as it must be as large at least.
    const SIZE: usize;
}

/// A register: its place in the block `R`, and its width `T`. Inside the block and aligned, or it could not be made.
pub struct Reg<R, T> {
    offset: usize,
    /// Invariant in `R`: two blocks may be subtypes of each other (`for<'a> fn(&'a u8)` and `fn(&'static u8)`), and have different sizes.
    _block: PhantomData<fn(R) -> R>,
    _word: PhantomData<fn() -> T>,
}

impl<R, T> Clone for Reg<R, T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<R, T> Copy for Reg<R, T> {}

impl<R: Registers, T: Word> Reg<R, T> {
    /// The register at `offset` bytes from the start of the block.
    ///
    /// # Panics
    /// If it is not aligned to its width or does not end inside the block. In a `const`, where registers are declared, that is
    /// an error at compile time.
    #[must_use]
    #[track_caller]
    pub const fn at(offset: usize) -> Self {
        let width = mem::size_of::<T>();
        assert!(
            offset % width == 0,
            "the register's offset is not a multiple of its width"
        );
        assert!(
            width <= R::SIZE && offset <= R::SIZE - width,
            "the register lies outside its block (see the block's `Registers::SIZE`)"
        );
        Reg {
            offset,
            _block: PhantomData,
            _word: PhantomData,
        }
    }

    /// The register at an offset that is known at run time only.
    ///
    /// # Errors
    /// [`Error::Misaligned`], [`Error::OutOfBounds`].
    #[inline]
    pub const fn try_at(offset: usize) -> Result<Self, Error> {
        let width = mem::size_of::<T>();
        if offset % width != 0 {
            return Err(Error::Misaligned { offset, width });
        }
        if width > R::SIZE || offset > R::SIZE - width {
            return Err(Error::OutOfBounds {
                offset,
                width,
                size: R::SIZE,
            });
        }
        Ok(Reg {
            offset,
            _block: PhantomData,
            _word: PhantomData,
        })
    }
}

impl<R, T> Reg<R, T> {
    /// Its place in the block, in bytes.
    #[inline(always)]
    #[must_use]
    pub const fn offset(self) -> usize {
        self.offset
    }
}

impl<R, T> fmt::Debug for Reg<R, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Reg<{}>({:#x})",
            core::any::type_name::<T>(),
            self.offset
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    enum Small {}
    impl Registers for Small {
        const SIZE: usize = 6;
    }

    #[test]
    fn a_register_is_aligned_and_inside_its_block() {
        assert_eq!(Reg::<Small, u32>::try_at(0).map(Reg::offset), Ok(0));
        assert_eq!(Reg::<Small, u16>::try_at(4).map(Reg::offset), Ok(4));
        assert_eq!(Reg::<Small, u8>::try_at(5).map(Reg::offset), Ok(5));
        let outside = |offset, width| Error::OutOfBounds {
            offset,
            width,
            size: 6,
        };
        assert_eq!(
            Reg::<Small, u32>::try_at(4).map(Reg::offset),
            Err(outside(4, 4))
        );
        assert_eq!(
            Reg::<Small, u8>::try_at(6).map(Reg::offset),
            Err(outside(6, 1))
        );
        assert_eq!(
            Reg::<Small, u64>::try_at(0).map(Reg::offset),
            Err(outside(0, 8))
        );
        let last = usize::MAX - 3;
        assert_eq!(
            Reg::<Small, u32>::try_at(last).map(Reg::offset),
            Err(outside(last, 4))
        );
        assert_eq!(
            Reg::<Small, u32>::try_at(2).map(Reg::offset),
            Err(Error::Misaligned {
                offset: 2,
                width: 4
            })
        );
    }

    #[test]
    #[should_panic(expected = "outside its block")]
    fn a_register_outside_its_block_cannot_be_made() {
        let _ = Reg::<Small, u16>::at(6);
    }

    #[test]
    #[should_panic(expected = "not a multiple")]
    fn a_misaligned_register_cannot_be_made() {
        let _ = Reg::<Small, u16>::at(1);
    }
}
