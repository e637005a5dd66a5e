//! Registers at an address.

use core::ptr::NonNull;

use crate::error::Error;
use crate::mmio::Word;
use crate::platform::{Barriers, Bus};

/// Device memory that is mapped at an address: what a [`Bus`](crate::platform::Bus) of a real machine is made of, as its `Io`.
///
/// An access is one volatile instruction, of the width asked for, and relaxed. A [`MemoryBus`] adds its [`Barriers`] to have the ordered ones.
///
/// On aarch64 a compiler may choose an instruction with write-back of the address for a volatile access (rust-lang/rust#131894); a hypervisor that
/// emulates the device cannot decode that. A guest of such a one wants accesses by inline assembly, in a `Bus` of its own.
#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
pub struct DeviceMemory(NonNull<u8>);

// SAFETY: an address means the same in all contexts; what may be done with it is up to the unsafe functions. [SHARED]
unsafe impl Send for DeviceMemory {}
// SAFETY: as above. [SHARED]
unsafe impl Sync for DeviceMemory {}

impl DeviceMemory {
    /// Device memory at `address`.
    #[must_use]
    pub const fn new(address: NonNull<u8>) -> Self {
        DeviceMemory(address)
    }

    /// Where it is.
    #[must_use]
    pub const fn address(self) -> NonNull<u8> {
        self.0
    }

    /// For [`Bus::part`](crate::platform::Bus::part).
    ///
    /// # Safety
    /// As there.
    #[inline(always)]
    #[must_use]
    pub unsafe fn part(self, offset: usize) -> Self {
        // SAFETY: inside the mapping or at its end, says the caller, so it does not wrap. [CALLER]
        DeviceMemory(unsafe { self.0.add(offset) })
    }

    /// For [`Bus::read_relaxed`](crate::platform::Bus::read_relaxed).
    ///
    /// # Safety
    /// As there.
    #[inline(always)]
    pub unsafe fn read_relaxed<T: Word>(self, offset: usize) -> T {
        // SAFETY: inside the mapping and aligned, says the caller. [WORDS, CALLER]
        unsafe { T::read_volatile(self.0.as_ptr().add(offset).cast()) }.to_le()
    }

    /// For [`Bus::write_relaxed`](crate::platform::Bus::write_relaxed).
    ///
    /// # Safety
    /// As there.
    #[inline(always)]
    pub unsafe fn write_relaxed<T: Word>(self, offset: usize, value: T) {
        // SAFETY: inside the mapping and aligned, says the caller. [WORDS, CALLER]
        unsafe { T::write_volatile(self.0.as_ptr().add(offset).cast(), value.to_le()) }
    }
}

/// A bus whose mappings lie in memory as device registers do: what is left to say of a [`Bus`] when accesses are those of [`DeviceMemory`].
///
/// Whatever implements this is a `Bus`, with `DeviceMemory` as its `Io`.
///
/// # Safety
/// An implementation promises, as for a `Bus`: a mapping stays valid and where it is until it is dropped; it is at least as large as
/// [`size`](MemoryBus::size) says and aligned to 8 bytes at least; a region is never mapped twice at the same time. And until a mapping is dropped, volatile
/// accesses of 1, 2, 4 or 8 bytes that are aligned and end inside it are neither torn nor data races, from any context, whatever is written.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no bus whose devices lie in memory",
    label = "`MemoryBus` is not implemented for it"
)]
pub unsafe trait MemoryBus: 'static {
    /// As [`Bus::Region`].
    type Region: Send + Sync + 'static;

    /// As [`Bus::Mapping`].
    type Mapping: Send + Sync + 'static;

    /// What the ordered accesses have: [`Bus::read`] after it, [`Bus::write`] before it. Right for the devices on this bus.
    type Barriers: Barriers;

    /// As [`Bus::map`].
    ///
    /// # Errors
    /// As there.
    fn map(region: &Self::Region) -> Result<Self::Mapping, Error>;

    /// As [`Bus::size`].
    fn size(mapping: &Self::Mapping) -> usize;

    /// Where a mapping begins.
    fn address(mapping: &Self::Mapping) -> NonNull<u8>;

    /// As [`Bus::vanished`].
    ///
    /// # Safety
    /// As there.
    unsafe fn vanished<T: Word>(memory: DeviceMemory, value: T) -> bool {
        let _ = (memory, value);
        false
    }
}

// SAFETY: what a `MemoryBus` promises. The order of accesses: volatile ones to one device stay in program order; for memory it is what its `Barriers` promise. [PROMISE]
unsafe impl<B: MemoryBus> Bus for B {
    type Region = <B as MemoryBus>::Region;
    type Mapping = <B as MemoryBus>::Mapping;
    type Io = DeviceMemory;

    fn map(region: &Self::Region) -> Result<Self::Mapping, Error> {
        <B as MemoryBus>::map(region)
    }

    fn size(mapping: &Self::Mapping) -> usize {
        <B as MemoryBus>::size(mapping)
    }

    fn io(mapping: &Self::Mapping) -> DeviceMemory {
        DeviceMemory::new(B::address(mapping))
    }

    #[inline(always)]
    unsafe fn part(io: DeviceMemory, offset: usize) -> DeviceMemory {
        // SAFETY: (this and those below) the caller's promise. [CALLER]
        unsafe { io.part(offset) }
    }

    #[inline(always)]
    unsafe fn read<T: Word>(io: DeviceMemory, offset: usize) -> T {
        // SAFETY: see `part`. [CALLER]
        let value = unsafe { io.read_relaxed(offset) };
        B::Barriers::read_barrier();
        value
    }

    #[inline(always)]
    unsafe fn read_relaxed<T: Word>(io: DeviceMemory, offset: usize) -> T {
        // SAFETY: see `part`. [CALLER]
        unsafe { io.read_relaxed(offset) }
    }

    #[inline(always)]
    unsafe fn write<T: Word>(io: DeviceMemory, offset: usize, value: T) {
        B::Barriers::write_barrier();
        // SAFETY: see `part`. [CALLER]
        unsafe { io.write_relaxed(offset, value) }
    }

    #[inline(always)]
    unsafe fn write_relaxed<T: Word>(io: DeviceMemory, offset: usize, value: T) {
        // SAFETY: see `part`. [CALLER]
        unsafe { io.write_relaxed(offset, value) }
    }

    #[inline(always)]
    unsafe fn vanished<T: Word>(io: DeviceMemory, value: T) -> bool {
        // SAFETY: see `part`. [CALLER]
        unsafe { <B as MemoryBus>::vanished(io, value) }
    }
}
