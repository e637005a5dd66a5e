//! How registers are reached.

use core::ptr::NonNull;

use crate::error::Error;
use crate::mmio::Word;

/// How a platform reaches the registers of a device.
///
/// On a real machine `Io` is an address and an access is one volatile instruction, with a barrier beside it where the machine needs one:
/// [`DeviceMemory`](crate::platform::DeviceMemory) is that, and [`MemoryBus`](crate::platform::MemoryBus) a bus made of it. A platform for tests sends it to a model.
///
/// Values are those of a *little-endian* device: the byte at the lowest address is the least significant, whatever the CPU. (For a
/// big-endian device, [`Mmio`](crate::Mmio) swaps.)
///
/// # Ordering
/// Accesses of one context to one device happen in program order; the *relaxed* ones promise no more. Then, as Linux's `readl` and `writel`
/// (memory-barriers.txt, "Kernel I/O barrier effects"):
///
/// - [`read`](Bus::read) completes before any later read of memory by the same context begins: what the device wrote to memory before it set the
///   register is seen.
/// - [`write`](Bus::write) comes after all earlier writes to memory by the same context, or that it has seen: the device that is
///   told sees them.
/// - Where the platform's [`RawLock`](crate::platform::RawLock) is used, a write inside one critical section reaches the device before one in a
///   later critical section of the same lock on another CPU. (Where ordinary release and acquire do not order device accesses, as on
///   RISC-V, that is the lock's work.)
///
/// # Safety
/// An implementation promises: a mapping stays valid and at the same [`Io`](Bus::Io) until it is dropped; it is at least as large as
/// [`size`](Bus::size) says and aligned to 8 bytes at least; accesses inside it are neither torn nor data races, from any context; a region
/// is never mapped twice at the same time; and the order above.
pub unsafe trait Bus: 'static {
    /// Names something that can be mapped, such as a BAR.
    type Region: Send + Sync + 'static;

    /// An established mapping; dropping it ends it.
    type Mapping: Send + Sync + 'static;

    /// What an access needs to know of a mapping: the address, on a real machine.
    type Io: Copy + Send + Sync;

    /// Maps a region. (Safe to call, but what comes of it is of no use outside the crate: all access is by unsafe functions.)
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

    /// The same for the part of a mapping that begins `offset` bytes further on.
    ///
    /// # Safety
    /// `io` is of a mapping, and `offset` lies inside it or at its end.
    unsafe fn part(io: Self::Io, offset: usize) -> Self::Io;

    /// Reads a register, ordered.
    ///
    /// # Safety
    /// `io` is of a mapping that has not been dropped; the access is aligned to its width, and ends inside the mapping.
    unsafe fn read<T: Word>(io: Self::Io, offset: usize) -> T;

    /// Reads a register, without order against memory.
    ///
    /// # Safety
    /// As for [`read`](Bus::read).
    unsafe fn read_relaxed<T: Word>(io: Self::Io, offset: usize) -> T;

    /// Writes a register, ordered.
    ///
    /// # Safety
    /// As for [`read`](Bus::read).
    unsafe fn write<T: Word>(io: Self::Io, offset: usize, value: T);

    /// Writes a register, without order against memory.
    ///
    /// # Safety
    /// As for [`read`](Bus::read).
    unsafe fn write_relaxed<T: Word>(io: Self::Io, offset: usize, value: T);

    /// Whether a device that just read as `value` is there no more, where the platform knows better than by all ones in a register that never reads so.
    /// (On PCI, for instance, by looking at the vendor id if the value looks suspicious.)
    ///
    /// # Safety
    /// `io` is of a mapping that has not been dropped.
    unsafe fn vanished<T: Word>(io: Self::Io, value: T) -> bool {
        let _ = (io, value);
        false
    }
}

/// A bus whose mappings lie in memory, where they can be reached without it.
///
/// For crates that bring pointers of their own to device memory: see `mmio::safe_mmio` (feature `safe-mmio`). A model of a device, as the
/// hosted platforms have, lies nowhere.
///
/// # Safety
/// Besides what a [`Bus`] promises:
///
/// - What [`read`](Bus::read) reads at an offset lies that many bytes after [`address`](Addressed::address).
/// - Until the mapping is dropped, volatile reads and writes of 1, 2, 4 or 8 bytes that are aligned and end inside it are as sound as those that the
///   bus makes: by any context, at the same time as others and as those of the bus, whatever register they hit and whatever that makes the
///   device do. (What a driver writes may be wrong, but it is not undefined behaviour: so it is for [`Mmio::write`](crate::Mmio::write), which is safe. On the order
///   and the width of such accesses the bus has no influence: a `u64` may be torn on a 32-bit machine.)
/// - Two mappings that exist at the same time do not overlap, those of different regions included.
#[diagnostic::on_unimplemented(
    message = "the registers on the bus `{Self}` have no address",
    label = "`Addressed` is not implemented for it",
    note = "a pointer to registers needs a bus of a real machine; a driver for any such platform asks for `where P::Bus: Addressed`"
)]
pub unsafe trait Addressed: Bus {
    /// Where the mapping, or the part of one, begins.
    fn address(io: Self::Io) -> NonNull<u8>;
}

/// The same, but the compiler does not know that: in a loop on aarch64 it would access with write-back of the address, which a hypervisor cannot
/// emulate (rust-lang/rust#131894). `cargo xtask asm` looks.
#[inline(always)]
pub(crate) fn opaque<Io: Copy>(io: Io) -> Io {
    if cfg!(target_arch = "aarch64") {
        core::hint::black_box(io)
    } else {
        io
    }
}
