//! Memory for a platform that has no allocator.

use core::alloc::Layout;
use core::fmt;
use core::mem::MaybeUninit;
use core::ptr::NonNull;

use crate::sync::{AtomicUsize, Ordering, UnsafeCell};

/// The units in which the buffer is handed out: enough for the alignment of ordinary values.
const UNIT: usize = 16;

#[repr(align(16))]
struct Buffer<const N: usize>([MaybeUninit<u8>; N]);

/// A buffer of `N` bytes to feed scopes from: for a platform's [`allocate`](crate::platform::Platform::allocate) where there is no allocator.
///
/// It hands out from the front, and starts over when everything has come back: enough for drivers that are bound for
/// good or one after the other. Lock-free, so fit for any context.
pub struct FixedMemory<const N: usize> {
    buffer: UnsafeCell<Buffer<N>>,
    /// Two numbers in one word, so that they change together: blocks outstanding (high half), units handed out (low half).
    state: AtomicUsize,
}

const HALF: u32 = usize::BITS / 2;
const LOW: usize = (1 << HALF) - 1;

// SAFETY: the buffer is never accessed here, only divided into disjoint blocks by the atomic `state`. [SHARED, CLAIMED]
unsafe impl<const N: usize> Sync for FixedMemory<N> {}

impl<const N: usize> FixedMemory<N> {
    /// The memory, unused. Meant for a `static`.
    #[cfg(not(loom))]
    #[must_use]
    pub const fn new() -> Self {
        const { assert!(N / UNIT <= LOW, "the buffer is too large to be counted") };
        FixedMemory {
            buffer: UnsafeCell::new(Buffer([const { MaybeUninit::uninit() }; N])),
            state: AtomicUsize::new(0),
        }
    }

    /// A block, or `None` if what is left does not fit it.
    pub fn allocate(&self, layout: Layout) -> Option<NonNull<u8>> {
        let base = self.buffer.with_mut(|buffer| buffer.cast::<u8>());
        let align = layout.align().max(UNIT);
        let mut state = self.state.load(Ordering::Relaxed);
        loop {
            let (blocks, used) = (state >> HALF, (state & LOW) * UNIT);
            let padding = base.addr().wrapping_add(used).wrapping_neg() & (align - 1);
            let start = used.checked_add(padding)?;
            let end = start
                .checked_add(layout.size())?
                .checked_next_multiple_of(UNIT)?;
            if end > N || blocks == LOW {
                return None;
            }
            let next = ((blocks + 1) << HALF) | (end / UNIT);
            // Acquire: pairs with the Release in `deallocate`, so that the next user of the memory comes after the last.
            match self.state.compare_exchange_weak(
                state,
                next,
                Ordering::Acquire,
                Ordering::Relaxed,
            ) {
                // SAFETY: `start <= end <= N`, so this stays inside the buffer. [LOCAL]
                Ok(_) => return NonNull::new(unsafe { base.add(start) }),
                Err(now) => state = now,
            }
        }
    }

    /// Takes a block back.
    ///
    /// # Safety
    /// The block came from [`allocate`](FixedMemory::allocate) of this memory, and is not used again.
    pub unsafe fn deallocate(&self, block: NonNull<u8>, layout: Layout) {
        let _ = (block, layout);
        let mut state = self.state.load(Ordering::Relaxed);
        loop {
            let blocks = (state >> HALF) - 1;
            let next = if blocks == 0 {
                0
            } else {
                (blocks << HALF) | (state & LOW)
            };
            // Release: pairs with the Acquire in `allocate`; the deallocations before are in its release sequence.
            match self.state.compare_exchange_weak(
                state,
                next,
                Ordering::Release,
                Ordering::Relaxed,
            ) {
                Ok(_) => return,
                Err(now) => state = now,
            }
        }
    }

    /// Bytes handed out at this moment, padding included.
    #[must_use]
    pub fn used(&self) -> usize {
        (self.state.load(Ordering::Relaxed) & LOW) * UNIT
    }
}

#[cfg(not(loom))]
impl<const N: usize> Default for FixedMemory<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize> fmt::Debug for FixedMemory<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FixedMemory")
            .field("size", &N)
            .field("used", &self.used())
            .finish()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_disjoint_aligned_and_come_back() {
        static MEMORY: FixedMemory<256> = FixedMemory::new();
        let layout = |size, align| Layout::from_size_align(size, align).unwrap();
        let a = MEMORY.allocate(layout(1, 1)).unwrap();
        let b = MEMORY.allocate(layout(64, 64)).unwrap();
        assert_eq!(b.addr().get() % 64, 0);
        assert!(b.addr().get() > a.addr().get());
        assert!(MEMORY.allocate(layout(257, 1)).is_none());
        assert!(MEMORY.allocate(layout(usize::MAX / 2, 1)).is_none());
        // SAFETY: both came from here and are not used.
        unsafe {
            MEMORY.deallocate(a, layout(1, 1));
            assert!(MEMORY.used() > 0);
            MEMORY.deallocate(b, layout(64, 64));
        }
        assert_eq!(MEMORY.used(), 0);
        assert!(MEMORY.allocate(layout(240, 16)).is_some());
    }

    #[test]
    fn no_byte_is_of_two_blocks_and_none_is_lost() {
        static MEMORY: FixedMemory<{ 8 * UNIT }> = FixedMemory::new();
        let units = |count| Layout::from_size_align(count * UNIT, 1).unwrap();
        let place = |layout| MEMORY.allocate(layout).map(|block| block.addr().get());
        let first = place(units(3)).unwrap();
        // What is begun is used up.
        assert_eq!(place(Layout::new::<u8>()), Some(first + 3 * UNIT));
        assert_eq!(place(units(2)), Some(first + 4 * UNIT));
        assert_eq!(MEMORY.used(), 6 * UNIT);
        assert_eq!(place(units(3)), None);
        // To the last byte.
        assert_eq!(place(units(2)), Some(first + 6 * UNIT));
        assert_eq!(MEMORY.used(), 8 * UNIT);
        assert_eq!(place(Layout::new::<u8>()), None);
    }
}
