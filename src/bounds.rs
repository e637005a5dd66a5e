//! Whether what is known at run time only lies where it may.

use crate::error::Error;

/// Whether `width` bytes at `offset` lie inside of `size` bytes, and `offset` is a multiple of `align`, a power of two.
#[inline]
pub(crate) fn check(size: usize, offset: usize, width: usize, align: usize) -> Result<(), Error> {
    if offset % align != 0 {
        return Err(Error::Misaligned {
            offset,
            width: align,
        });
    }
    if width > size || offset > size - width {
        return Err(Error::OutOfBounds {
            offset,
            width,
            size,
        });
    }
    Ok(())
}
