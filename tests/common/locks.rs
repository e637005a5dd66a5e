//! A lock that remembers what it was told when it was made.

use std::cell::RefCell;
use std::panic::Location;

use driver_scope::platform::RawLock;

thread_local! {
    static MADE: RefCell<Vec<&'static Location<'static>>> = const { RefCell::new(Vec::new()) };
}

/// The lines of the locks that were made on this thread since it was last asked, in the order that they were made.
pub fn locks_made() -> Vec<&'static Location<'static>> {
    MADE.take()
}

/// `R`, whose making is noted.
pub struct Noted<R>(R);

// SAFETY: what `R` promises.
unsafe impl<R: RawLock> RawLock for Noted<R> {
    type Saved = R::Saved;

    fn new(made_at: &'static Location<'static>) -> Self {
        MADE.with_borrow_mut(|made| made.push(made_at));
        Noted(R::new(made_at))
    }

    fn lock(&self) -> R::Saved {
        self.0.lock()
    }

    unsafe fn unlock(&self, saved: R::Saved) {
        // SAFETY: the caller's promise.
        unsafe { self.0.unlock(saved) }
    }
}
