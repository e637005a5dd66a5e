use std::sync::{Condvar, Mutex, PoisonError};

use core::panic::Location;
use core::sync::atomic::{AtomicU8, Ordering};

use crate::platform::RawLock;

const FREE: u8 = 0;
const HELD: u8 = 1;
/// Held, and others may be waiting for it.
const CONTENDED: u8 = 2;

/// A lock on which the thread blocks: [`Lock`](crate::Lock) on hosted platforms.
#[derive(Debug)]
pub struct StdRawLock {
    state: AtomicU8,
    /// What waiters sleep on. The mutex guards nothing but the moment between looking at `state` and sleeping.
    sleep: Mutex<()>,
    wake: Condvar,
}

// SAFETY: `lock` returns only to the one that moved `state` from FREE (by the exchange, or by a swap that found FREE), and
// only `unlock` makes it FREE again; Acquire and Release order the holders' accesses. [PROMISE]
unsafe impl RawLock for StdRawLock {
    type Saved = ();

    fn new(_made_at: &'static Location<'static>) -> Self {
        StdRawLock {
            state: AtomicU8::new(FREE),
            sleep: Mutex::new(()),
            wake: Condvar::new(),
        }
    }

    #[inline]
    fn lock(&self) {
        // Acquire: pairs with the Release in `unlock`.
        if self
            .state
            .compare_exchange(FREE, HELD, Ordering::Acquire, Ordering::Relaxed)
            .is_err()
        {
            self.lock_contended();
        }
    }

    #[inline]
    unsafe fn unlock(&self, (): ()) {
        // Release: pairs with the Acquire of the next holder.
        if self.state.swap(FREE, Ordering::Release) == CONTENDED {
            // Under the mutex, so that a waiter that saw CONTENDED is asleep by now, and is woken.
            let _sleep = self.sleep.lock().unwrap_or_else(PoisonError::into_inner);
            self.wake.notify_one();
        }
    }
}

impl StdRawLock {
    #[cold]
    fn lock_contended(&self) {
        let mut sleep = self.sleep.lock().unwrap_or_else(PoisonError::into_inner);
        // Acquire: as above. Whoever has waited once takes the lock as CONTENDED, since others may be waiting still.
        while self.state.swap(CONTENDED, Ordering::Acquire) != FREE {
            sleep = self
                .wake
                .wait(sleep)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}
