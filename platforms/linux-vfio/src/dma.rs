//! Memory that a device behind an IOMMU reaches.

use std::alloc::Layout;
use std::collections::BTreeMap;
use std::io::Write;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use driver_scope::platform::{Dma, DmaBlock, MachineBarriers};
use driver_scope::Error;
use linux_guest::bus::platform_error;
use linux_guest::config::{COMMAND, COMMAND_MASTER};
use linux_guest::mapping::Mapping;

use crate::iova::{Iovas, PAGE};
use crate::vfio::Function;

/// The memory of devices that VFIO lets this process have. All that is to be known of one is in its [`Reach`].
#[derive(Clone, Copy, Default)]
pub struct Iommu;

/// What a device reaches: memory that its driver asked for, and nothing else. A message is a write to memory as well: outside a claim there are none.
pub struct Reach(Arc<Shared>);

struct Shared {
    function: Arc<Function>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    claimed: bool,
    iovas: Iovas,
    /// By the device's address.
    blocks: BTreeMap<u64, Mapping>,
}

/// A device that a scope has.
pub struct Claim {
    shared: Arc<Shared>,
    address_bits: u32,
}

impl Reach {
    /// What a function reaches: nothing yet. The one value for it: two would not know of each other's claims.
    pub fn of(function: &Arc<Function>) -> Self {
        Reach(Arc::new(Shared {
            function: Arc::clone(function),
            state: Mutex::default(),
        }))
    }
}

impl Shared {
    /// Nothing panics with the lock held but for want of memory.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a block out of the device's reach, and its address back, if that works.
    fn unmap(&self, state: &mut State, device: u64, size: u64) -> bool {
        match self.function.unmap(device, size) {
            Ok(()) => state.iovas.give_back(device),
            Err(ref error) => tell(format_args!("{device:#x} stays mapped: {error}")),
        }
        !state.iovas.is_taken(device)
    }

    fn set_master(&self, on: bool) -> std::io::Result<()> {
        let config = self.function.config()?;
        config.command(COMMAND_MASTER, on)?;
        // The answer comes after all that the device has sent before it.
        match config.read(COMMAND)? & COMMAND_MASTER != 0 {
            is if is == on => Ok(()),
            _ => Err(std::io::Error::other("the bus master bit does not change")),
        }
    }
}

/// Tells what goes wrong where nothing may unwind: `eprintln!` does, if nobody takes what it writes.
fn tell(what: std::fmt::Arguments<'_>) {
    let _ = writeln!(std::io::stderr(), "{what}");
}

impl Claim {
    fn keep_from_memory(&self) {
        if let Err(error) = self.shared.set_master(false) {
            // What keeps it from memory is then the IOMMU alone, block by block as they are freed.
            tell(format_args!("the device is not quiet: {error}"));
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        // Both have been seen to by the crate, but it is no crate that must.
        self.keep_from_memory();
        let mut state = self.shared.lock();
        for (device, memory) in mem::take(&mut state.blocks) {
            self.shared.unmap(&mut state, device, memory.len() as u64);
            // It was not freed, so somebody may use it.
            mem::forget(memory);
        }
        state.claimed = false;
    }
}

/// The size of whole pages that have room for this; `None` for none, and for what a page's begin is not aligned to.
fn whole_pages(layout: Layout) -> Option<u64> {
    let size = (layout.size() as u64).checked_next_multiple_of(PAGE)?;
    (size > 0 && layout.align() as u64 <= PAGE).then_some(size)
}

// SAFETY: the promises, by their numbers. 1: whole pages of new memory, which the kernel has zeroed, kept in `blocks` until they are freed; the IOMMU's addresses are multiples
// of a page as well. The machine is coherent: VFIO refuses an IOMMU that is not (or has it snoop). 2: mapped memory, which is no Rust object, and is accessed by
// those accesses alone. 3: the function is alone in its domain, in which is what `allocate` maps, until `free` unmaps it; and it is a bus master only from `claim` to `quiet`. 4: `claimed` is
// changed under the lock. [PROMISE]
unsafe impl Dma for Iommu {
    type Device = Reach;
    type Claim = Claim;
    type Barriers = MachineBarriers;

    fn claim(&self, device: &Reach, address_bits: u32) -> Result<Claim, Error> {
        let mut state = device.0.lock();
        if mem::replace(&mut state.claimed, true) {
            return Err(Error::DmaInUse);
        }
        drop(state);
        // Given back if the rest fails.
        let claim = Claim {
            shared: Arc::clone(&device.0),
            address_bits,
        };
        claim.shared.set_master(true).map_err(platform_error)?;
        Ok(claim)
    }

    fn allocate(&self, claim: &Claim, layout: Layout) -> Result<DmaBlock, Error> {
        let size = whole_pages(layout).ok_or(Error::Unsupported)?;
        let len = usize::try_from(size).map_err(|_| Error::TooLarge)?;
        let memory = Mapping::of_memory(len).map_err(|_| Error::NoMemory)?;
        let cpu = memory.base();
        let bits = claim.address_bits;
        let mut state = claim.shared.lock();
        let device = state.iovas.take(size, bits).ok_or(Error::DmaMask(bits))?;
        // SAFETY: it is kept until it has been unmapped, in `free`. Whoever gets the block accesses it by `read` and `write`. [FOREIGN]
        let mapped = unsafe { claim.shared.function.map(cpu, device, size) };
        if let Err(error) = mapped {
            state.iovas.give_back(device);
            return Err(platform_error(error));
        }
        state.blocks.insert(device, memory);
        Ok(DmaBlock { cpu, device })
    }

    unsafe fn free(&self, claim: &Claim, block: DmaBlock, _layout: Layout) {
        let mut state = claim.shared.lock();
        if let Some(memory) = state.blocks.remove(&block.device) {
            let size = memory.len() as u64;
            if !claim.shared.unmap(&mut state, block.device, size) {
                // The device may still reach it: then it stays, for as long as this process.
                mem::forget(memory);
            }
        }
    }

    fn quiet(&self, claim: &Claim) {
        claim.keep_from_memory();
    }
}
