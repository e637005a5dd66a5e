use core::fmt;

use crate::sync::{AtomicU8, Ordering, UnsafeCell};

const EMPTY: u8 = 0;
const WRITING: u8 = 1;
const READY: u8 = 2;

/// A cell that is written once and then read by any context, without waiting.
///
/// `core::cell::OnceCell` is not `Sync` and `std::sync::OnceLock` waits; a callback needs neither. Typical use: state
/// made in `probe` before a handle that it must hold exists.
///
/// # Context
/// Any. Nothing here blocks or spins.
pub struct Once<T> {
    state: AtomicU8,
    /// `None` until it is written. Dropped with the cell, if `T` needs it; a `Once` of something that needs no `Drop` needs none
    /// either, and so may be [`alloc`](crate::DriverScope::alloc)ated.
    value: UnsafeCell<Option<T>>,
}

// SAFETY: the value is written by the one context that moved `state` to WRITING and read only after READY was
// observed. Shared access hands out `&T` (needs `T: Sync`) and lets any context move a `T` in (needs `T: Send`). [SHARED, CLAIMED]
unsafe impl<T: Send + Sync> Sync for Once<T> {}
// SAFETY: a `Once` owns its `T`. [SHARED]
unsafe impl<T: Send> Send for Once<T> {}

impl<T> Once<T> {
    /// An empty cell.
    #[cfg(not(loom))]
    pub const fn new() -> Self {
        Once {
            state: AtomicU8::new(EMPTY),
            value: UnsafeCell::new(None),
        }
    }

    /// An empty cell.
    #[cfg(loom)]
    pub fn new() -> Self {
        Once {
            state: AtomicU8::new(EMPTY),
            value: UnsafeCell::new(None),
        }
    }

    /// Stores the value, or gives it back when one is stored already or is being stored at this moment.
    ///
    /// # Errors
    /// The value itself, when another came first.
    pub fn set(&self, value: T) -> Result<(), T> {
        // Relaxed: this only picks the one writer; what it publishes is ordered by the store below.
        if self
            .state
            .compare_exchange(EMPTY, WRITING, Ordering::Relaxed, Ordering::Relaxed)
            .is_err()
        {
            return Err(value);
        }
        self.value.with_mut(|slot| {
            // SAFETY: only the context that made EMPTY into WRITING gets here, once in the life of the cell, and no
            // reader looks before READY. [CLAIMED]
            unsafe { *slot = Some(value) };
        });
        // Release: pairs with the Acquire load in `get`, which thereby sees the value written.
        self.state.store(READY, Ordering::Release);
        Ok(())
    }

    /// The value, once it is there.
    #[inline]
    pub fn get(&self) -> Option<&T> {
        // Acquire: pairs with the Release store in `set`.
        if self.state.load(Ordering::Acquire) == READY {
            // SAFETY: READY was stored after the value was written and the value is never written again; the borrow is
            // tied to `self`. [CLAIMED]
            self.value.with(|slot| unsafe { (*slot).as_ref() })
        } else {
            None
        }
    }
}

impl<T> Default for Once<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: fmt::Debug> fmt::Debug for Once<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Once").field(&self.get()).finish()
    }
}
