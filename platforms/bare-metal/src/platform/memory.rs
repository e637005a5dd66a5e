//! Memory for scopes, with a canary: what nobody has is filled with a pattern, and looked at before it is given out again.

use core::alloc::Layout;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use driver_scope::platform::FixedMemory;

/// The size of a pool in bytes.
const SIZE: usize = 32 << 10;

/// What free memory is filled with. Eight of them are no address, so whoever follows one is caught by the processor.
const CANARY: u8 = 0xa5;

/// Memory for one binding at a time.
pub struct Pool {
    memory: FixedMemory<SIZE>,
    // Relaxed, both: what is counted is not read by them.
    /// Blocks that somebody wrote to while nobody had them.
    spoiled: AtomicUsize,
    /// The most that was ever taken at once.
    most: AtomicUsize,
}

impl Pool {
    /// To be [`prepare`](Pool::prepare)d.
    pub const fn new() -> Self {
        Pool {
            memory: FixedMemory::new(),
            spoiled: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
        }
    }

    /// Fills it.
    ///
    /// # Panics
    /// If somebody has something of it.
    pub fn prepare(&self) {
        let whole = self.whole();
        fill(whole.0, whole.1);
        // SAFETY: just allocated; not used again. [LOCAL]
        unsafe { self.memory.deallocate(whole.0, whole.1) };
    }

    fn whole(&self) -> (NonNull<u8>, Layout) {
        assert_eq!(self.memory.used(), 0, "the pool is in use");
        let layout = Layout::new::<[u128; SIZE / 16]>();
        match self.memory.allocate(layout) {
            Some(block) => (block, layout),
            None => panic!("a pool that is free has all its memory"),
        }
    }

    /// A block. It is looked at before.
    pub fn allocate(&self, layout: Layout) -> Option<NonNull<u8>> {
        let block = self.memory.allocate(layout)?;
        self.look(block, layout);
        self.most.fetch_max(self.memory.used(), Relaxed);
        Some(block)
    }

    /// Takes a block back, and fills it.
    ///
    /// # Safety
    /// It came from here, with this layout, and is not used again.
    pub unsafe fn deallocate(&self, block: NonNull<u8>, layout: Layout) {
        fill(block, layout);
        // SAFETY: the caller's promise. [CALLER]
        unsafe { self.memory.deallocate(block, layout) };
    }

    fn look(&self, block: NonNull<u8>, layout: Layout) {
        // SAFETY: the block is ours, and was filled when it was given back, or by `prepare`. [LOCAL]
        let intact = unsafe {
            let words = block.as_ptr().cast::<u64>();
            // Blocks begin at multiples of 16 and end so.
            (0..layout.size() / 8)
                .all(|i| words.add(i).read_volatile() == u64::from_ne_bytes([CANARY; 8]))
        };
        if !intact {
            self.spoiled.fetch_add(1, Relaxed);
        }
    }

    /// Bytes that somebody has.
    pub fn used(&self) -> usize {
        self.memory.used()
    }

    /// The most that was ever in use.
    pub fn most(&self) -> usize {
        self.most.load(Relaxed)
    }

    /// Looks at all of it, when nobody has any, and says how many blocks were ever found to be written to.
    ///
    /// # Panics
    /// If somebody has something of it.
    pub fn spoiled(&self) -> usize {
        let (block, layout) = self.whole();
        self.look(block, layout);
        // SAFETY: just allocated; not used again. [LOCAL]
        unsafe { self.memory.deallocate(block, layout) };
        self.spoiled.load(Relaxed)
    }
}

fn fill(block: NonNull<u8>, layout: Layout) {
    // SAFETY: the callers have the block, and nobody else. [LOCAL]
    unsafe { block.as_ptr().write_bytes(CANARY, layout.size()) };
}
