// SPDX-License-Identifier: GPL-2.0

//! Memory that devices reach.

use core::alloc::Layout;
use core::ptr::NonNull;

use driver_scope::platform::{Dma, DmaBlock};
use driver_scope::Error;
use kernel::bindings;
use kernel::prelude::*;

use crate::bus::LinuxBarriers;
use crate::context;
use crate::device::Use;

/// The kernel's coherent memory.
pub struct Coherent;

/// A device's way to memory.
pub struct BusMaster(pub(crate) Use);

/// The right to let a device reach memory, which one scope at a time has.
pub struct Claim(Use);

impl Drop for Claim {
    fn drop(&mut self) {
        self.0.give_dma_back();
    }
}

/// As the kernel is asked: what it has is aligned to its own size, if that is a power of two, and else to more.
fn size(layout: Layout) -> usize {
    layout.size().max(layout.align())
}

// SAFETY: the promises, by their numbers. 1: coherent memory of the kernel is zeroed, and aligned as `size` says. 2: the accesses are those provided; Rust knows
// nothing of such memory. 3: a device reaches memory while it is a bus master; with an IOMMU only what is mapped for it, which the kernel does at each allocation. (The
// message of an interrupt is such a write as well, for which an interrupt may have made it a bus master before: never after, see `allow_messages`.) 4: `Function` has a mark. [PROMISE]
unsafe impl Dma for Coherent {
    type Device = BusMaster;
    type Claim = Claim;
    type Barriers = LinuxBarriers;

    fn claim(&self, device: &BusMaster, address_bits: u32) -> Result<Claim, Error> {
        let function = &device.0;
        if !function.take_dma() {
            return Err(Error::DmaInUse);
        }
        let claim = Claim(function.clone());
        let mask = u64::MAX >> (u64::BITS - address_bits.clamp(1, u64::BITS));
        // SAFETY: the device is there, and its driver bound; it has no memory that another mask was asked for with: we have the claim. [FOREIGN]
        let set = unsafe {
            bindings::dma_set_mask(function.device(), mask) == 0
                && bindings::dma_set_coherent_mask(function.device(), mask) == 0
        };
        if !set {
            return Err(Error::DmaMask(address_bits));
        }
        // It reaches what it is told, which is what it will be given.
        function.allow_dma();
        Ok(claim)
    }

    fn allocate(&self, claim: &Claim, layout: Layout) -> Result<DmaBlock, Error> {
        context::assert_may_sleep();
        let mut device = 0;
        // SAFETY: the device is there, its driver bound, its mask set by `claim`. [FOREIGN]
        let cpu = unsafe {
            bindings::dma_alloc_attrs(
                claim.0.device(),
                size(layout),
                &mut device,
                bindings::GFP_KERNEL,
                0,
            )
        };
        let cpu = NonNull::new(cpu.cast()).ok_or(Error::NoMemory)?;
        Ok(DmaBlock { cpu, device })
    }

    unsafe fn free(&self, claim: &Claim, block: DmaBlock, layout: Layout) {
        // SAFETY: from `allocate`, with this claim and layout, and not used again. [FOREIGN, CALLER]
        unsafe {
            bindings::dma_free_attrs(
                claim.0.device(),
                size(layout),
                block.cpu.as_ptr().cast(),
                block.device,
                0,
            );
        }
    }

    fn quiet(&self, claim: &Claim) {
        claim.0.forbid_dma();
    }
}
