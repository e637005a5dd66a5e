//! What a platform promises of memory that devices reach.

use core::alloc::Layout;
use core::convert::Infallible;
use core::ptr::NonNull;

use crate::error::Error;

/// The memory that a platform's devices read and write by themselves.
///
/// A platform whose devices cannot has [`NoDma`].
///
/// # Safety
/// An implementation promises:
///
/// 1. **A block** is as large and as aligned as was asked for, zeroed, coherent (what one side writes, the other reads, with no more than the barriers
///    that the [`Bus`](crate::platform::Bus) has), nobody else's, and stays put until it is freed. Atomic and volatile accesses of the CPU in it are
///    sound whatever the device does to it at the same time.
/// 2. **The device** reaches the block at the address told, and nothing of the CPU's memory but blocks that were allocated for it and not yet freed, as far
///    as the machine can keep it from that: by an IOMMU, or else by what `quiet` did before anything is freed.
pub unsafe trait Dma: Sync {
    /// A device, as far as its DMA goes. See [`PciDevice::dma`](crate::PciDevice::dma).
    type Device: Send + Sync + 'static;

    /// Asks for a block of memory that the device reaches, at addresses of no more than so many bits.
    ///
    /// Context: may sleep.
    ///
    /// # Errors
    /// [`Error::NoMemory`]: none, or none at such addresses.
    fn allocate(
        &self,
        device: &Self::Device,
        layout: Layout,
        address_bits: u32,
    ) -> Result<DmaBlock, Error>;

    /// Gives a block back. From then on the device does not reach it, where the machine has means for that.
    ///
    /// # Safety
    /// `block` came from `allocate` with this device and layout, and is not used again; `quiet` was called for the device, and since then nothing
    /// that would let it go on.
    unsafe fn free(&self, device: &Self::Device, block: DmaBlock, layout: Layout);

    /// Keeps the device from reaching memory (PCI: clears the bus master bit), and waits for what it has under way, as far as the machine allows. It is
    /// called once all activities of the driver have ended, and may be called more than once.
    ///
    /// Context: may sleep.
    fn quiet(&self, device: &Self::Device);
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

// SAFETY: there is no such device, so there are no blocks.
unsafe impl Dma for NoDma {
    type Device = Infallible;

    fn allocate(
        &self,
        device: &Infallible,
        _layout: Layout,
        _address_bits: u32,
    ) -> Result<DmaBlock, Error> {
        match *device {}
    }

    unsafe fn free(&self, device: &Infallible, _block: DmaBlock, _layout: Layout) {
        match *device {}
    }

    fn quiet(&self, device: &Infallible) {
        match *device {}
    }
}
