//! How registers are reached.

use crate::error::Error;
use crate::mmio::Word;

/// How a platform reaches the registers of a device.
///
/// On a real machine `Io` is an address and an access is one volatile instruction ([`Word::read_volatile`]); a platform for
/// tests sends it to a model.
///
/// # Safety
/// An implementation promises: a mapping stays valid and at the same [`Io`](Bus::Io) until it is dropped; it is at least as large as
/// [`size`](Bus::size) says and aligned to 8 bytes at least; accesses inside it are neither torn nor data races, from any context; a region
/// is never mapped twice at the same time.
pub unsafe trait Bus: 'static {
    /// Names something that can be mapped, such as a BAR.
    type Region: Send + Sync + 'static;

    /// An established mapping; dropping it ends it.
    type Mapping: Send + Sync + 'static;

    /// What an access needs to know of a mapping: the address, on a real machine.
    type Io: Copy + Send + Sync;

    /// Maps a region.
    ///
    /// Context: may sleep.
    ///
    /// # Errors
    /// [`Error::AlreadyMapped`], or what the platform lacks.
    fn map(region: &Self::Region) -> Result<Self::Mapping, Error>;

    /// The size of a mapping, in bytes.
    fn size(mapping: &Self::Mapping) -> usize;

    /// What its accesses need.
    fn io(mapping: &Self::Mapping) -> Self::Io;

    /// Reads a register.
    ///
    /// # Safety
    /// `io` is of a mapping that has not been dropped; `offset` is a multiple of the width, and the access ends inside the
    /// mapping.
    unsafe fn read<T: Word>(io: Self::Io, offset: usize) -> T;

    /// Writes a register.
    ///
    /// # Safety
    /// As for [`read`](Bus::read).
    unsafe fn write<T: Word>(io: Self::Io, offset: usize, value: T);
}
