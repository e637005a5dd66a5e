//! A lock for every context: interrupts masked, and the other processor kept waiting.

use core::cell::UnsafeCell;
use core::hint::spin_loop;
use core::panic::Location;
use core::sync::atomic::{AtomicBool, Ordering};

use driver_scope::platform::RawLock;

use super::cpu;

/// The lock without what it guards.
pub struct RawSpin {
    held: AtomicBool,
}

impl RawSpin {
    /// One that nobody holds.
    pub const fn free() -> Self {
        RawSpin {
            held: AtomicBool::new(false),
        }
    }
}

// SAFETY: `lock` returns to the one that changed `held` to true, and only `unlock` changes it back. Acquire and Release order what holders do. [PROMISE]
unsafe impl RawLock for RawSpin {
    type Saved = ();

    fn new(_made_at: &'static Location<'static>) -> Self {
        RawSpin::free()
    }

    #[inline]
    fn lock(&self) {
        cpu::mask();
        // Acquire: pairs with the Release in `unlock`.
        while self.held.swap(true, Ordering::Acquire) {
            while self.held.load(Ordering::Relaxed) {
                spin_loop();
            }
        }
    }

    #[inline]
    unsafe fn unlock(&self, (): ()) {
        // Release: pairs with the Acquire of the next holder.
        self.held.store(false, Ordering::Release);
        cpu::unmask();
    }
}

/// A value behind the lock. (`driver_scope::Lock` has its lock made at run time; this can be a static.)
pub struct Spin<T> {
    raw: RawSpin,
    value: UnsafeCell<T>,
}

// SAFETY: one holder at a time has access, so sharing moves a `T` between processors at most. [SHARED, LOCKED]
unsafe impl<T: Send> Sync for Spin<T> {}

impl<T> Spin<T> {
    /// A value that nobody holds.
    pub const fn new(value: T) -> Self {
        Spin {
            raw: RawSpin::free(),
            value: UnsafeCell::new(value),
        }
    }

    /// Runs `f` with the value. Must not come back here for the same value.
    #[inline]
    pub fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        self.raw.lock();
        // SAFETY: under the lock. A panic in `f` stops the machine, so the lock is always given back or nobody is left. [LOCKED]
        let result = f(unsafe { &mut *self.value.get() });
        // SAFETY: taken above. [LOCKED]
        unsafe { self.raw.unlock(()) };
        result
    }
}
