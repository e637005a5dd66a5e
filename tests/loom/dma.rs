//! Memory for devices, of loom's atomics: words of 64 bits, a few in each block.

use std::alloc::{self, Layout};
use std::ptr::NonNull;

use driver_scope::platform::{Barriers, Dma, DmaBlock};
use driver_scope::{Error, Word};
use loom::sync::atomic::{fence, AtomicU64, Ordering};

/// Where a block begins is found from any address in it: the cells of its words are named there.
const BLOCK: Layout = match Layout::from_size_align(4096, 4096) {
    Ok(layout) => layout,
    Err(_) => panic!(),
};

/// How many words a block has.
const WORDS: usize = 8;

type Cells = [AtomicU64; WORDS];

/// The memory of all devices.
pub struct LoomDma;

/// The cell of the word at an address.
///
/// # Safety
/// It lies in a block that has not been freed.
unsafe fn cell<'a>(at: NonNull<u8>) -> &'a AtomicU64 {
    let within = at.addr().get() % BLOCK.size();
    // SAFETY: a block lies at a multiple of its size, and has its cells at its begin.
    let cells = unsafe { at.sub(within).cast::<*const Cells>().as_ref().as_ref() };
    &cells.expect("not freed")[within / 8]
}

/// A word, as the device has it. (Its addresses are the CPU's.)
///
/// # Safety
/// It lies in a block that is not freed meanwhile.
pub unsafe fn device_side<'a>(address: u64) -> &'a AtomicU64 {
    let at = NonNull::new(std::ptr::with_exposed_provenance_mut(address as usize));
    // SAFETY: the caller's promise.
    unsafe { cell(at.expect("an address")) }
}

// SAFETY: the promises, by their numbers. 1: a block is the global allocator's; its words are cells beside it. 2: loom's atomics, of one width. 3, 4: a device is a thread of the
// model, and does as that says.
unsafe impl Dma for LoomDma {
    type Device = ();
    type Claim = ();
    type Barriers = LoomDma;

    fn claim(&self, (): &(), _address_bits: u32) -> Result<(), Error> {
        Ok(())
    }

    fn allocate(&self, (): &(), layout: Layout) -> Result<DmaBlock, Error> {
        assert!(layout.size() <= WORDS * 8 && layout.align() <= BLOCK.align());
        // SAFETY: not of size zero.
        let block = NonNull::new(unsafe { alloc::alloc_zeroed(BLOCK) }).ok_or(Error::NoMemory)?;
        let cells: Box<Cells> = Box::new(std::array::from_fn(|_| AtomicU64::new(0)));
        // SAFETY: fresh memory, large enough.
        unsafe { block.cast().write(Box::into_raw(cells)) };
        Ok(DmaBlock {
            cpu: block,
            device: block.as_ptr().expose_provenance() as u64,
        })
    }

    unsafe fn free(&self, (): &(), block: DmaBlock, _layout: Layout) {
        // SAFETY: made by `allocate`, and not used again.
        unsafe {
            drop(Box::from_raw(block.cpu.cast::<*mut Cells>().read()));
            alloc::dealloc(block.cpu.as_ptr(), BLOCK);
        }
    }

    fn quiet(&self, (): &()) {}

    unsafe fn read<T: Word>(at: NonNull<u8>) -> T {
        assert_eq!(size_of::<T>(), 8);
        // SAFETY: the caller's promise.
        T::truncate(unsafe { cell(at) }.load(Ordering::Relaxed))
    }

    unsafe fn write<T: Word>(at: NonNull<u8>, value: T) {
        assert_eq!(size_of::<T>(), 8);
        // SAFETY: the caller's promise.
        unsafe { cell(at) }.store(value.to_u64(), Ordering::Relaxed);
    }
}

// SAFETY: the devices are threads, which see memory by atomic accesses.
unsafe impl Barriers for LoomDma {
    fn write_barrier() {
        fence(Ordering::Release);
    }

    fn read_barrier() {
        fence(Ordering::Acquire);
    }
}
