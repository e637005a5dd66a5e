//! What a platform promises of memory that devices reach.

use core::alloc::Layout;
use core::convert::Infallible;
use core::ptr::NonNull;

use crate::error::Error;
use crate::mmio::Word;
use crate::platform::Barriers;

/// The memory that a platform's devices read and write by themselves.
///
/// A platform whose devices cannot has [`NoDma`].
///
/// # Safety
/// An implementation promises:
///
/// 1. **A block** is as large and, on both sides, as aligned as was asked for, zeroed, coherent (what one side writes, the other reads, with no more than its
///    barriers and those that the [`Bus`](crate::platform::Bus) has), nobody else's, and stays put until it is freed.
/// 2. **Accesses** by [`read`](Dma::read) and [`write`](Dma::write), aligned and inside a block that has not been freed, are sound from any context, at the same
///    time as others of any width, and whatever the device does to the block meanwhile; and they are not torn. The two provided are relaxed atomics of the width asked for: right for a
///    machine's memory that Rust knows nothing of. In memory of Rust's own, accesses of different widths at the same time are none: there, bring others.
/// 3. **The device** reaches memory only from a `claim` to the `quiet` of that claim, and then nothing of the CPU's memory but blocks that were allocated with
///    this claim and not yet freed, as far as the machine can keep it from that: by an IOMMU, or else by what `quiet` did before anything is freed.
/// 4. **One claim** of a device is there at a time: from `claim` until it is dropped. (If there were two, one scope would free what the other lets the device write.)
pub unsafe trait Dma: Sync {
    /// A device, as far as its DMA goes. See [`PciDevice::dma`](crate::PciDevice::dma).
    type Device: Send + Sync + 'static;

    /// A device that a scope has to itself, to let it reach memory. Owns what it needs: the device may be gone before it.
    type Claim: Send + Sync + 'static;

    /// What orders accesses to blocks. Right for its devices.
    type Barriers: Barriers;

    /// Takes the device for a scope, and lets it reach memory (PCI: sets the bus master bit), of which there is none yet. Dropping the claim gives
    /// the device back; the crate has called [`quiet`](Dma::quiet) before, and has freed all blocks.
    ///
    /// All memory of this claim is to be at addresses of no more than `address_bits` bits: where that is a property of the device (the DMA mask of Linux), it is set here. The crate never
    /// says less than 1 nor more than 64; but since this is safe to call, an implementation must be sound for other numbers, too.
    ///
    /// Context: may sleep.
    ///
    /// # Errors
    /// [`Error::DmaInUse`], and then nothing is changed for who has it; [`Error::DmaMask`], with `address_bits`, if there is no memory at such addresses, as far as can be told already; or what the
    /// platform lacks.
    fn claim(&self, device: &Self::Device, address_bits: u32) -> Result<Self::Claim, Error>;

    /// Asks for a block of memory that the device reaches, at addresses of no more bits than it was [claimed](Dma::claim) with. The last byte's counts. (The crate looks, and gives back
    /// what is not so.)
    ///
    /// Context: may sleep. The crate never asks for a layout of size zero; but since this is safe to call, an implementation must be sound for that, too.
    ///
    /// # Errors
    /// [`Error::NoMemory`]: none; [`Error::DmaMask`], with the number of bits of the claim: none at such addresses.
    fn allocate(&self, claim: &Self::Claim, layout: Layout) -> Result<DmaBlock, Error>;

    /// Gives a block back. From then on the device does not reach it, where the machine has means for that.
    ///
    /// Context: may sleep.
    ///
    /// # Safety
    /// `block` came from `allocate` with this claim and layout, and is not used again. `quiet` was called for the claim; or nobody has been told the block's
    /// address.
    unsafe fn free(&self, claim: &Self::Claim, block: DmaBlock, layout: Layout);

    /// Keeps the device from reaching memory for the rest of the claim (PCI: clears the bus master bit), and waits for what it has under way, as far as the machine allows. It is
    /// called once all activities of the driver have ended, and may be called more than once.
    ///
    /// Context: may sleep.
    fn quiet(&self, claim: &Self::Claim);

    /// Reads a block, as a little-endian device means it, without order.
    ///
    /// # Safety
    /// `at` is aligned to the width, and so many bytes from there on are inside a block that has not been freed.
    #[inline(always)]
    unsafe fn read<T: Word>(at: NonNull<u8>) -> T {
        // SAFETY: aligned and valid, says the caller; sound whatever happens to the memory meanwhile, by promise 2. [WORDS, CALLER]
        unsafe { T::load_relaxed(at.as_ptr().cast()) }.to_le()
    }

    /// Writes a block, as a little-endian device means it, without order.
    ///
    /// # Safety
    /// As for [`read`](Dma::read).
    #[inline(always)]
    unsafe fn write<T: Word>(at: NonNull<u8>, value: T) {
        // SAFETY: as in `read`. [WORDS, CALLER]
        unsafe { T::store_relaxed(at.as_ptr().cast(), value.to_le()) }
    }
}

/// A block of memory, as both sides see it.
#[derive(Clone, Copy, Debug)]
pub struct DmaBlock {
    /// Where the CPU has it.
    pub cpu: NonNull<u8>,
    /// Where the device has it.
    pub device: u64,
}

/// The DMA of a platform that has none: no device can do it.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoDma;

// SAFETY: there is no such device, so there are no claims and no blocks. [PROMISE]
unsafe impl Dma for NoDma {
    type Device = Infallible;
    type Claim = Infallible;
    type Barriers = NoDma;

    fn claim(&self, device: &Infallible, _address_bits: u32) -> Result<Infallible, Error> {
        match *device {}
    }

    fn allocate(&self, claim: &Infallible, _layout: Layout) -> Result<DmaBlock, Error> {
        match *claim {}
    }

    unsafe fn free(&self, claim: &Infallible, _block: DmaBlock, _layout: Layout) {
        match *claim {}
    }

    fn quiet(&self, claim: &Infallible) {
        match *claim {}
    }
}

// SAFETY: for its devices, of which there are none. [PROMISE]
unsafe impl Barriers for NoDma {
    fn write_barrier() {}

    fn read_barrier() {}
}
