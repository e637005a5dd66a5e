//! Memory that devices reach: a few pages, at the addresses that they have for the processor too.

use core::alloc::Layout;
use core::cell::UnsafeCell;
use core::ptr::NonNull;

use driver_scope::platform::{Dma, DmaBlock, MachineBarriers};
use driver_scope::Error;

use crate::machine::lock::Spin;
use crate::machine::pci::{command, Function};

const PAGE: usize = 4096;
const PAGES: usize = 64;
/// How many devices may have memory at once.
const CLAIMS: usize = 4;

/// What free pages are filled with, so that a device that writes to them is noticed.
const CANARY: u8 = 0x5a;

/// The memory for devices.
pub struct Pages;

/// The pages. The image is below 128 MiB, so 27 bits reach them.
#[repr(C, align(4096))]
struct Memory(UnsafeCell<[u8; PAGE * PAGES]>);

// SAFETY: reached by raw pointers alone, each page by who has it. [SHARED]
unsafe impl Sync for Memory {}

static MEMORY: Memory = Memory(UnsafeCell::new([0; PAGE * PAGES]));

static STATE: Spin<State> = Spin::new(State {
    taken: 0,
    next: 0,
    spoiled: 0,
    claims: [None; CLAIMS],
});

struct State {
    /// Which pages are taken, a bit for each.
    taken: u64,
    /// Where to look first for free ones: behind those that were given out last, so that what is given back is not given out again at once. A device
    /// that writes late is noticed then.
    next: usize,
    /// How many were found to be written to while they were not taken.
    spoiled: usize,
    claims: [Option<Function>; CLAIMS],
}

/// Fills all pages. Once, before any is allocated.
pub fn prepare() {
    // SAFETY: nobody has any. [LOCAL]
    unsafe {
        MEMORY
            .0
            .get()
            .cast::<u8>()
            .write_bytes(CANARY, PAGE * PAGES)
    };
}

/// How many pages are taken, and how many free ones were ever found to be written to.
pub fn state() -> (u32, usize) {
    STATE.with(|state| {
        let taken = state.taken;
        let look = (0..PAGES).filter(|&page| taken >> page & 1 == 0 && !is_intact(page));
        state.spoiled += look.count();
        (taken.count_ones(), state.spoiled)
    })
}

/// The right to let a function reach memory, which one at a time has.
pub struct Claim {
    function: Function,
    place: usize,
}

impl Drop for Claim {
    fn drop(&mut self) {
        STATE.with(|state| state.claims[self.place] = None);
    }
}

fn page(number: usize) -> NonNull<u8> {
    let base = MEMORY.0.get().cast::<u8>();
    // SAFETY: inside the static. [LOCAL]
    unsafe { NonNull::new_unchecked(base.add(number * PAGE)) }
}

/// Whether a page that nobody has is as it was left.
fn is_intact(number: usize) -> bool {
    let words = page(number).cast::<u64>();
    // SAFETY: inside the page, which nobody has; volatile, since a device may write to it after all. [LOCAL]
    (0..PAGE / 8)
        .all(|word| unsafe { words.add(word).read_volatile() } == u64::from_ne_bytes([CANARY; 8]))
}

/// The bits of so many pages from this one on.
fn mask(first: usize, count: usize) -> u64 {
    (u64::MAX >> (u64::BITS as usize - count)) << first
}

fn count(layout: Layout) -> usize {
    layout.size().div_ceil(PAGE).max(1)
}

// SAFETY: the promises, by their numbers. 1: whole pages, nobody else's while their bits are set, filled with zeroes; memory of this machine is coherent. 2: the
// accesses are those provided; the pages are only ever touched by raw pointers, while somebody has them by such accesses alone. 3: there is no IOMMU; `claim` gives the
// device the right to reach memory at all, and `quiet` takes it. (So does the message of an interrupt, which is a write to memory as well.) 4: a table of the claims. [PROMISE]
unsafe impl Dma for Pages {
    type Device = Function;
    type Claim = Claim;
    type Barriers = MachineBarriers;

    fn claim(&self, device: &Function, address_bits: u32) -> Result<Claim, Error> {
        let last = page(0).addr().get() + PAGE * PAGES - 1;
        if last.checked_shr(address_bits).unwrap_or(0) != 0 {
            return Err(Error::DmaMask(address_bits));
        }
        let place = STATE.with(|state| {
            if state.claims.contains(&Some(*device)) {
                return Err(Error::DmaInUse);
            }
            let free = state.claims.iter().position(Option::is_none);
            let free = free.ok_or(Error::NoMemory)?;
            state.claims[free] = Some(*device);
            Ok(free)
        })?;
        // SAFETY: it reaches what it is told, which is what it will be given. [MACHINE]
        unsafe { device.command(command::BUS_MASTER, 0) };
        Ok(Claim {
            function: *device,
            place,
        })
    }

    fn allocate(&self, _claim: &Claim, layout: Layout) -> Result<DmaBlock, Error> {
        let count = count(layout);
        if count > PAGES || layout.align() > PAGE {
            return Err(Error::NoMemory);
        }
        let first = STATE.with(|state| {
            let places = 0..=PAGES - count;
            let behind = places.clone().skip(state.next).chain(places);
            let free = |first: &usize| state.taken & mask(*first, count) == 0;
            let first = { behind }.find(free)?;
            state.taken |= mask(first, count);
            state.next = first + count;
            state.spoiled += (first..first + count)
                .filter(|&page| !is_intact(page))
                .count();
            Some(first)
        });
        let cpu = page(first.ok_or(Error::NoMemory)?);
        // SAFETY: ours, by its bits. [LOCAL]
        unsafe { cpu.write_bytes(0, count * PAGE) };
        Ok(DmaBlock {
            cpu,
            device: cpu.as_ptr().expose_provenance() as u64,
        })
    }

    unsafe fn free(&self, _claim: &Claim, block: DmaBlock, layout: Layout) {
        let (first, count) = (
            (block.cpu.addr().get() - page(0).addr().get()) / PAGE,
            count(layout),
        );
        // SAFETY: not used again, says the caller. [CALLER]
        unsafe { block.cpu.write_bytes(CANARY, count * PAGE) };
        STATE.with(|state| state.taken &= !mask(first, count));
    }

    fn quiet(&self, claim: &Claim) {
        // SAFETY: it reaches less. [MACHINE]
        unsafe { claim.function.command(0, command::BUS_MASTER) };
    }
}
