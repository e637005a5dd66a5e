use core::task::Waker;

use crate::sync::{AtomicU8, Ordering, UnsafeCell};

/// Nobody is at the content.
const FREE: u8 = 0;
/// Somebody looks at the content, or changes it.
const BUSY: u8 = 1;
/// Somebody takes the content; with BUSY: wants it taken.
const TAKEN: u8 = 2;

/// A place for the waker of one task, between the future that stores it and whoever wakes.
///
/// Nobody waits for anybody, so that an interrupt may take what a poll below it was about to store: then the poll wakes. And the state is never held while code
/// of the waker runs: it is cloned before, and woken and dropped after.
pub(super) struct WakerCell {
    state: AtomicU8,
    waker: UnsafeCell<Option<Waker>>,
}

// SAFETY: the content is accessed by whoever has set BUSY or TAKEN on FREE, one at a time; and a waker is `Send + Sync`. [SHARED, CLAIMED]
unsafe impl Send for WakerCell {}
// SAFETY: as above. [SHARED, CLAIMED]
unsafe impl Sync for WakerCell {}

impl WakerCell {
    pub(super) fn new() -> Self {
        WakerCell {
            state: AtomicU8::new(FREE),
            waker: UnsafeCell::new(None),
        }
    }

    /// Has `waker` woken by the next wake; what was stored before is forgotten. If a wake comes at the same time, `waker` is woken here, perhaps for nothing.
    ///
    /// If it is not woken here, what happened before a `take` that did not find `waker` is seen after this returns.
    ///
    /// Called by one context at a time, the owner of the place.
    pub(super) fn register(&self, waker: &Waker) {
        let same = |stored: &mut Option<Waker>| match stored {
            Some(stored) => stored.will_wake(waker),
            None => false,
        };
        match self.with(same) {
            Some(true) => return,
            Some(false) => {}
            None => return waker.wake_by_ref(),
        }
        let mut new = Some(waker.clone());
        let swapped = self.with(|stored| core::mem::swap(stored, &mut new));
        // The old one; or the new one, if somebody was taking the old.
        drop(new);
        if swapped.is_none() {
            waker.wake_by_ref();
        }
    }

    /// Calls `f` with the content, unless somebody is taking it. If somebody wanted to take it meanwhile, wakes what `f` has left there.
    fn with<R>(&self, f: impl FnOnce(&mut Option<Waker>) -> R) -> Option<R> {
        // Acquire: pairs with the Release of whoever was at the content last, in `take` or here; and with that of a `take` that came before this, so that
        // what led to it is seen after `register`. On failure, too, or a poll could be woken again and again for what it does not see.
        if self
            .state
            .compare_exchange(FREE, BUSY, Ordering::Acquire, Ordering::Acquire)
            .is_err()
        {
            return None;
        }
        // SAFETY: this context has set BUSY on FREE, so nobody else is at the content. [CLAIMED]
        let result = self.waker.with_mut(|stored| f(unsafe { &mut *stored }));
        // Release: pairs with the Acquire in `take`, which reads what was stored. Relaxed on failure: nobody else was at the
        // content; and what led to the `take` is seen by the next poll, since the swap below continues its release sequence.
        let back = self
            .state
            .compare_exchange(BUSY, FREE, Ordering::Release, Ordering::Relaxed);
        if back.is_err() {
            // SAFETY: BUSY is still set, by this context. [CLAIMED]
            let waker = self.waker.with_mut(|stored| unsafe { (*stored).take() });
            // Release: as above.
            self.state.swap(FREE, Ordering::Release);
            if let Some(waker) = waker {
                waker.wake();
            }
        }
        Some(result)
    }

    /// Takes the waker out, to be woken or dropped by the caller. `None` if there is none, or if somebody else has it in hand: who took it will wake it, and
    /// who stores it will wake it, too.
    pub(super) fn take(&self) -> Option<Waker> {
        // Acquire: pairs with the Release in `with`, which stored the waker. Release: what led to this is seen by a `register` that comes later, or is under way.
        if self.state.fetch_or(TAKEN, Ordering::AcqRel) != FREE {
            return None;
        }
        // SAFETY: this context has set TAKEN on FREE, so nobody else is at the content. [CLAIMED]
        let waker = self.waker.with_mut(|stored| unsafe { (*stored).take() });
        // Release: pairs with the Acquire of whoever is at the content next.
        self.state.fetch_and(!TAKEN, Ordering::Release);
        waker
    }
}
