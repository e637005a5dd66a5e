//! Memory that a device reads and writes by itself, by handles that cannot outlive their scope.
//!
//! [`scope.dma`](DriverScope::dma) takes a device's way to memory for the scope: a [`DmaDevice`]. With that, memory is had: a run of bytes
//! ([`dma_bytes`](DriverScope::dma_bytes)), a block whose fields are declared ([`dma_block`](DriverScope::dma_block)), a ring of descriptors
//! ([`dma_ring`](DriverScope::dma_ring)). It is *coherent*: what one side writes, the other reads. It begins as zeros.
//!
//! ```
//! use driver_scope::platform::{DmaSpace, Sim};
//! use driver_scope::dma::Descriptor;
//! use driver_scope::*;
//!
//! /// A buffer to be sent: its address, its length, and in the last word whether the device may have it.
//! #[derive(Clone, Copy)]
//! struct Send {
//!     address: u64,
//!     len: u32,
//!     ready: bool,
//! }
//!
//! impl Descriptor for Send {
//!     type Words = [u32; 4];
//!     fn to_words(self) -> [u32; 4] {
//!         [self.address as u32, (self.address >> 32) as u32, self.len, self.ready.into()]
//!     }
//!     fn from_words(words: [u32; 4]) -> Self {
//!         let address = u64::from(words[0]) | u64::from(words[1]) << 32;
//!         Send { address, len: words[2], ready: words[3] != 0 }
//!     }
//! }
//!
//! let space = DmaSpace::new(); // PciDevice::dma has it, on a real machine
//! let sim = Sim::new();
//! sim.may_sleep(|cx| {
//!     enter(sim.clone(), cx, &space, |space, scope| {
//!         let dma = scope.dma(space, 32)?;
//!         let packet = scope.dma_bytes(dma, 1500)?;
//!         let ring = scope.dma_ring::<Send>(dma, 16)?;
//!
//!         packet.copy_in(0, b"hello")?;
//!         ring.publish(0, Send { address: packet.address(), len: 5, ready: true })?;
//!         // regs.write(TAIL, 1): the doorbell
//!         assert!(ring.observe(0)?.ready);
//!         Ok::<(), Error>(())
//!     })
//! })?;
//! # Ok::<(), Error>(())
//! ```
//!
//! # No references
//! There is never a reference to such memory, since the device may write it at any time. It is read and written by whole words, in accesses that are
//! no data race whoever makes them ([`Dma::read`], [`Dma::write`]); values are built from integers by safe code. What a device
//! writes is not to be trusted: read it *once*, and check what was read.
//!
//! # Order
//! Reads and writes of this memory have no order by themselves. Where the device must see one thing before another:
//!
//! | the driver | the device | by |
//! |---|---|---|
//! | writes memory, then rings a doorbell | reads memory | [`Mmio::write`](crate::Mmio::write) of the doorbell, which comes after all writes to memory; not `write_relaxed` |
//! | reads a register that tells "done", then memory | writes memory, then sets the register | [`Mmio::read`](crate::Mmio::read) of the register, which comes before all later reads of memory; not `read_relaxed` |
//! | fills a descriptor, then its word of ownership | polls that word, reads the rest | [`DmaRing::publish`], or a [`write_barrier`](DmaDevice::write_barrier) between |
//! | polls a word of ownership, reads the rest | writes the rest, then that word | [`DmaRing::observe`], or a [`read_barrier`](DmaDevice::read_barrier) between |
//!
//! # The end
//! Handles are `Copy`, and nothing depends on what becomes of them. When everything that the driver does has ended, the device is made *quiet*: it does not reach
//! memory any more, whatever it has under way. This is done for all devices of the scope before anything of it is freed; after a `probe` that failed or panicked as
//! well, where no hook of the driver's told the device to stop. Until then the memory is there, also for a destructor.
//!
//! Quiet is not idle. What a device has under way may go on when the next driver lets it reach memory again, to addresses that the last one told it. So a driver whose device
//! does not stop by itself resets it, or waits until it is done, *before* it calls [`scope.dma`](DriverScope::dma).

use core::alloc::Layout;
use core::fmt;
use core::marker::PhantomData;
use core::mem;
use core::panic::Location;
use core::ptr::NonNull;

use crate::error::Error;
use crate::event::Kind;
use crate::inspect::Details;
use crate::mmio::{Extent, Registers};
use crate::platform::{Barriers, Dma, DmaBlock, Platform};
use crate::scope::inner::Core;
use crate::scope::registry::Registration;
use crate::scope::DriverScope;
use crate::sync::UnsafeCell;
use crate::Invariant;

mod buffer;
mod ring;

pub use buffer::DmaBuffer;
pub use ring::{Descriptor, DmaRing, Words};

/// A device that a scope has to itself, to give it memory: a copyable handle. See the [module](self).
///
/// Invariant in `'drv`: only the scope that has the device can allocate for it, since that is the one which makes it quiet before it frees.
pub struct DmaDevice<'drv, P: Platform> {
    claim: NonNull<Claim<P>>,
    _scope: Invariant<&'drv ()>,
}

impl<P: Platform> Clone for DmaDevice<'_, P> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<P: Platform> Copy for DmaDevice<'_, P> {}

// SAFETY: what it leads to is used by shared reference, and is `Sync`: a platform, and a claim, which the trait asks to be. [SHARED]
unsafe impl<P: Platform> Send for DmaDevice<'_, P> {}
// SAFETY: as above. [SHARED]
unsafe impl<P: Platform> Sync for DmaDevice<'_, P> {}

/// The registration of a device.
struct Claim<P: Platform> {
    /// Outlives the scope's memory, in which this lies.
    core: NonNull<Core<P>>,
    address_bits: u32,
    /// Taken by `release`.
    claim: UnsafeCell<Option<<P::Dma as Dma>::Claim>>,
}

impl<P: Platform> Claim<P> {
    fn dma(&self) -> &<P as Platform>::Dma {
        // SAFETY: see `core`. [STAYS]
        unsafe { self.core.as_ref() }.platform.dma()
    }

    /// # Safety
    /// `release` has not begun.
    unsafe fn with<R>(&self, f: impl FnOnce(&<P::Dma as Dma>::Claim) -> R) -> Option<R> {
        // SAFETY: only `release` writes the cell, later. [PHASES, CALLER]
        self.claim.with(|claim| unsafe { (*claim).as_ref().map(f) })
    }
}

// SAFETY: a device calls nothing. [SHUT]
unsafe impl<P: Platform> Registration<P> for Claim<P> {
    const KIND: Kind = Kind::Dma;

    fn quiet(&self) -> bool {
        // SAFETY: this step comes before every `release`. [PHASES]
        unsafe { self.with(|claim| self.dma().quiet(claim)) }.is_some()
    }

    unsafe fn release(&self) -> bool {
        // SAFETY: called once, when nobody uses a handle any more; blocks of this claim were registered later, so they are released. [PHASES]
        drop(self.claim.with_mut(|claim| unsafe { (*claim).take() }));
        // Its end was told when it was made quiet.
        false
    }
}

/// The registration of a block.
struct Memory<P: Platform> {
    /// On the same list, below this.
    claim: NonNull<Claim<P>>,
    block: DmaBlock,
    layout: Layout,
}

impl<P: Platform> Memory<P> {
    /// # Safety
    /// The claim is not released. The device is quiet, or nobody has been told of the block; and nobody uses it any more.
    unsafe fn free(&self) {
        // SAFETY: the claim lies in the scope's memory, and is not released, says the caller. [STAYS, CALLER]
        unsafe {
            let claim = self.claim.as_ref();
            // SAFETY: allocated with this claim and layout; the rest says the caller. [CALLER]
            claim.with(|of| claim.dma().free(of, self.block, self.layout));
        }
    }
}

// SAFETY: memory calls nothing. [SHUT]
unsafe impl<P: Platform> Registration<P> for Memory<P> {
    const KIND: Kind = Kind::DmaMemory;

    fn inspect(&self) -> Details {
        Details::Dma {
            address: self.block.device,
            size: self.layout.size(),
        }
    }

    unsafe fn release(&self) -> bool {
        // SAFETY: the claim was registered before this, so it is released after. All devices of the scope are quiet by now. Handles have ended. [PHASES, QUIET]
        unsafe { self.free() };
        true
    }
}

/// The largest alignment that a block gets.
const PAGE: usize = 4096;

/// The least: any word is aligned that is at a multiple of its width.
const LEAST: usize = 8;

impl<'drv, P: Platform> DriverScope<'drv, P> {
    /// Takes a device's way to memory for this scope, and lets the device reach memory that is [had](crate::dma) with what is returned: at addresses of no more than
    /// `address_bits` bits, 1 to 64 (as many as the device has lines for; 32 or 64 for most).
    ///
    /// When the scope ends, the device is kept from memory before any is freed.
    ///
    /// # Errors
    /// [`Error::DmaInUse`] if a scope has it already; [`Error::DmaMask`] for a number of bits that is none, or if the platform has no memory at such addresses; [`Error::NoMemory`]; [`Error::Closed`]; or the platform's own.
    #[track_caller]
    pub fn dma(
        &self,
        device: &<P::Dma as Dma>::Device,
        address_bits: u32,
    ) -> Result<DmaDevice<'drv, P>, Error> {
        let name = self.next_name(Location::caller());
        if !(1..=64).contains(&address_bits) {
            return Err(Error::DmaMask(address_bits));
        }
        let core = self.core();
        // SAFETY: `init` writes the item if it succeeds; `undo` takes it back, and undoes the claim. [LISTED]
        let claim = unsafe {
            self.register(
                name,
                |place| {
                    let claim = core.platform.dma().claim(device, address_bits)?;
                    // SAFETY: memory for the item, ours alone. [ARENA]
                    place.write(Claim::<P> {
                        core: NonNull::from(core),
                        address_bits,
                        claim: UnsafeCell::new(Some(claim)),
                    });
                    Ok(())
                },
                |place| {
                    // SAFETY: just written, refused, and not seen by anybody else. [LISTED]
                    let refused = place.read();
                    refused.quiet();
                    drop(refused);
                },
            )?
        };
        Ok(DmaDevice {
            claim,
            _scope: PhantomData,
        })
    }

    /// Asks for `len` bytes that the device reaches. They are zero, and lie at a multiple of their number rounded up to a power of two: of 8 at least, of 4096 at most, on both sides.
    ///
    /// # Errors
    /// [`Error::ZeroSize`]; [`Error::TooLarge`]; [`Error::DmaMask`] if there is none at addresses that the device has; [`Error::NoMemory`]; [`Error::Closed`]; or the platform's own.
    #[track_caller]
    pub fn dma_bytes(
        &self,
        dma: DmaDevice<'drv, P>,
        len: usize,
    ) -> Result<DmaBuffer<'drv, [u8], P>, Error> {
        let block = self.dma_memory(dma, Some(len))?;
        // SAFETY: of so many bytes, aligned, and valid until the scope's release, which is after `'drv`. [PLACE, MAPPED]
        Ok(unsafe { DmaBuffer::new(block, <[u8] as Extent>::len(len)) })
    }

    /// Asks for memory for a block of fields, which are declared as [registers](crate::registers) are. It is zero, and aligned as [`dma_bytes`](DriverScope::dma_bytes) says.
    ///
    /// # Errors
    /// As for [`dma_bytes`](DriverScope::dma_bytes).
    #[track_caller]
    pub fn dma_block<R: Registers>(
        &self,
        dma: DmaDevice<'drv, P>,
    ) -> Result<DmaBuffer<'drv, R, P>, Error> {
        let block = self.dma_memory(dma, Some(R::SIZE))?;
        // SAFETY: as large as the block, aligned as any may ask for (8), and valid until the scope's release, which is after `'drv`. [PLACE, MAPPED]
        Ok(unsafe { DmaBuffer::new(block, ()) })
    }

    /// Asks for memory for `count` descriptors, one after the other. It is zero, and aligned as [`dma_bytes`](DriverScope::dma_bytes) says.
    ///
    /// # Errors
    /// As for [`dma_bytes`](DriverScope::dma_bytes).
    #[track_caller]
    pub fn dma_ring<D: Descriptor>(
        &self,
        dma: DmaDevice<'drv, P>,
        count: usize,
    ) -> Result<DmaRing<'drv, D, P>, Error> {
        let size = count.checked_mul(mem::size_of::<D::Words>());
        let block = self.dma_memory(dma, size)?;
        // SAFETY: as large as so many, aligned as any word asks for, and valid until the scope's release, which is after `'drv`. [PLACE, MAPPED]
        Ok(unsafe { DmaRing::new(block, count) })
    }

    /// A block of memory of so many bytes; `None`: more than can be told.
    #[track_caller]
    fn dma_memory(&self, dma: DmaDevice<'drv, P>, size: Option<usize>) -> Result<DmaBlock, Error> {
        let name = self.next_name(Location::caller());
        let size = size.ok_or(Error::TooLarge)?;
        if size == 0 {
            return Err(Error::ZeroSize);
        }
        let align = size.min(PAGE).next_power_of_two().max(LEAST);
        let layout = Layout::from_size_align(size, align).map_err(|_| Error::TooLarge)?;
        // SAFETY: the device was registered in this very scope, since the handle is invariant in the brand; so it lies in the scope's memory. [BRAND, STAYS]
        let claim = unsafe { dma.claim.as_ref() };
        // SAFETY: `init` writes the item if it succeeds; `undo` frees the block again. [LISTED]
        let item = unsafe {
            self.register(
                name,
                |place| {
                    // SAFETY: a scope is lent before its release begins. [PHASES]
                    let block = claim
                        .with(|of| claim.dma().allocate(of, layout))
                        .ok_or(Error::Closed)??;
                    let memory = Memory {
                        claim: dma.claim,
                        block,
                        layout,
                    };
                    if !is_within(block.device, size, claim.address_bits) {
                        // SAFETY: not released, as above; nobody has been told of it. [PHASES, QUIET]
                        memory.free();
                        return Err(Error::DmaMask(claim.address_bits));
                    }
                    // SAFETY: memory for the item, ours alone. [ARENA]
                    place.write(memory);
                    Ok(())
                },
                |place| {
                    // SAFETY: just written, refused, and not seen by anybody else; the claim is not released, as above. [LISTED, QUIET]
                    place.as_ref().free();
                },
            )?
        };
        // SAFETY: registered, so it stays until the release. [STAYS]
        Ok(unsafe { item.as_ref().block })
    }
}

/// Whether `size` bytes, not none, from an address on have addresses of so many bits.
fn is_within(address: u64, size: usize, bits: u32) -> bool {
    let last = address.checked_add(size as u64 - 1);
    last.is_some_and(|last| last.checked_shr(bits).unwrap_or(0) == 0)
}

impl<P: Platform> DmaDevice<'_, P> {
    /// Has the device see all that was written to its memory before this, if it sees anything that is written there after.
    ///
    /// Context: any. For a layout that is no [`DmaRing`]; before a doorbell, [`Mmio::write`](crate::Mmio::write) does it.
    #[inline(always)]
    pub fn write_barrier(self) {
        <P::Dma as Dma>::Barriers::write_barrier();
    }

    /// Has all reads of the device's memory after this come after those before.
    ///
    /// Context: any. For a layout that is no [`DmaRing`]; after a register was read, [`Mmio::read`](crate::Mmio::read) does it.
    #[inline(always)]
    pub fn read_barrier(self) {
        <P::Dma as Dma>::Barriers::read_barrier();
    }
}

impl<P: Platform> fmt::Debug for DmaDevice<'_, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DmaDevice")
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::is_within;

    #[test]
    fn the_last_byte_counts() {
        assert!(is_within(0xff0, 0x10, 12));
        assert!(!is_within(0xff0, 0x11, 12));
        assert!(!is_within(0x1000, 1, 12));
        assert!(is_within(0, 1, 0));
        assert!(is_within(u64::MAX - 0xf, 0x10, 64));
        assert!(!is_within(u64::MAX - 0xf, 0x11, 64));
    }
}
