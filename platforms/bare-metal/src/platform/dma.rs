//! Memory that devices reach: a few pages, at the addresses that they have for the processor too.

use core::alloc::Layout;
use core::cell::UnsafeCell;
use core::ptr::NonNull;

use driver_scope::platform::{Dma, DmaBlock};
use driver_scope::Error;

use crate::machine::lock::Spin;
use crate::machine::pci::{command, Function};

const PAGE: usize = 4096;
const PAGES: usize = 64;

/// What free pages are filled with, so that a device that writes to them is noticed.
const CANARY: u8 = 0x5a;

/// The memory for devices.
pub struct Pages;

/// The pages. The image is below 128 MiB, so 27 bits reach them.
#[repr(C, align(4096))]
struct Memory(UnsafeCell<[u8; PAGE * PAGES]>);

// SAFETY: reached by raw pointers alone, each page by who has it.
unsafe impl Sync for Memory {}

static MEMORY: Memory = Memory(UnsafeCell::new([0; PAGE * PAGES]));

/// Which pages are taken, a bit for each; and how many were found to be written to while they were not.
static TAKEN: Spin<(u64, usize)> = Spin::new((0, 0));

/// Fills all pages. Once, before any is allocated.
pub fn prepare() {
    // SAFETY: nobody has any.
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
    TAKEN.with(|(taken, spoiled)| {
        let taken_now = *taken;
        let look = (0..PAGES).filter(|&page| taken_now >> page & 1 == 0 && !is_intact(page));
        *spoiled += look.count();
        (taken_now.count_ones(), *spoiled)
    })
}

fn page(number: usize) -> NonNull<u8> {
    let base = MEMORY.0.get().cast::<u8>();
    // SAFETY: inside the static.
    unsafe { NonNull::new_unchecked(base.add(number * PAGE)) }
}

/// Whether a page that nobody has is as it was left.
fn is_intact(number: usize) -> bool {
    let words = page(number).cast::<u64>();
    // SAFETY: inside the page, which nobody has; volatile, since a device may write to it after all.
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

// SAFETY: the promises, by their numbers. 1: whole pages, nobody else's while their bits are set, filled with zeroes; memory of this machine is coherent. 2: there is
// no IOMMU; `quiet` takes from the device the right to reach memory at all.
unsafe impl Dma for Pages {
    type Device = Function;

    fn allocate(
        &self,
        device: &Function,
        layout: Layout,
        address_bits: u32,
    ) -> Result<DmaBlock, Error> {
        let count = count(layout);
        if count > PAGES || layout.align() > PAGE {
            return Err(Error::NoMemory);
        }
        let end = page(0).addr().get() + PAGE * PAGES;
        if address_bits < usize::BITS && end > 1 << address_bits {
            return Err(Error::NoMemory);
        }
        let first = TAKEN.with(|(taken, spoiled)| {
            let first = (0..=PAGES - count).find(|&first| *taken & mask(first, count) == 0)?;
            *taken |= mask(first, count);
            *spoiled += (first..first + count)
                .filter(|&page| !is_intact(page))
                .count();
            Some(first)
        });
        let cpu = page(first.ok_or(Error::NoMemory)?);
        // SAFETY: ours, by its bits. The device may reach memory: what it was given, and it is told no other address.
        unsafe {
            cpu.write_bytes(0, count * PAGE);
            device.command(command::BUS_MASTER, 0);
        }
        Ok(DmaBlock {
            cpu,
            device: cpu.as_ptr().expose_provenance() as u64,
        })
    }

    unsafe fn free(&self, _device: &Function, block: DmaBlock, layout: Layout) {
        let (first, count) = (
            (block.cpu.addr().get() - page(0).addr().get()) / PAGE,
            count(layout),
        );
        // SAFETY: not used again, says the caller.
        unsafe { block.cpu.write_bytes(CANARY, count * PAGE) };
        TAKEN.with(|(taken, _)| *taken &= !mask(first, count));
    }

    fn quiet(&self, device: &Function) {
        // SAFETY: it reaches less.
        unsafe { device.command(0, command::BUS_MASTER) };
    }
}
