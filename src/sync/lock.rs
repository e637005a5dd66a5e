use core::fmt;
use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};
use core::panic::Location;

use crate::platform::{Platform, RawLock};
use crate::sync::UnsafeCell;

/// A mutual-exclusion lock that a timer or interrupt callback may take.
///
/// The platform decides how: on a real machine interrupts are masked while it is held, on `Host` the thread blocks.
/// It exists because a driver that forbids `unsafe` has no other way to share mutable state between its callbacks.
///
/// # Context
/// Any, hard interrupt included. Keep what is done under it short, and **never wait under it**: a
/// [`cancel`](crate::HrTimer::cancel) under a lock that the callback takes can never finish, and no type can see that
/// (the platform reports the name of the timer after a second where it can).
///
/// # Deadlocks
/// It is not recursive. Forgetting a guard leaves it locked for good; that is a hang, not a soundness hole.
pub struct Lock<T, P: Platform> {
    raw: P::RawLock,
    value: UnsafeCell<T>,
}

// SAFETY: the raw lock admits one holder at a time, so sharing a `Lock` only ever moves access to the `T` between
// contexts, which `T: Send` permits. `RawLock` is `Send + Sync` by its own bounds. [SHARED, LOCKED]
unsafe impl<T: Send, P: Platform> Sync for Lock<T, P> {}
// SAFETY: as above; a `Lock` owns its `T`. [SHARED, LOCKED]
unsafe impl<T: Send, P: Platform> Send for Lock<T, P> {}

impl<T, P: Platform> Lock<T, P> {
    /// A new, unlocked lock.
    ///
    /// The platform is told the line of the caller. One that checks the order of locks takes those that were made at one line for of one kind: a function that makes locks for others
    /// to nest is better `#[track_caller]` itself.
    #[track_caller]
    pub fn new(value: T) -> Self {
        Lock {
            raw: P::RawLock::new(Location::caller()),
            value: UnsafeCell::new(value),
        }
    }

    /// Takes the lock; it is given back when the guard is dropped.
    #[inline]
    pub fn lock(&self) -> LockGuard<'_, T, P> {
        let saved = self.raw.lock();
        LockGuard {
            lock: self,
            saved,
            _not_send: PhantomData,
        }
    }

    /// Gives the value back.
    pub fn into_inner(self) -> T {
        self.value.into_inner()
    }
}

impl<T, P: Platform> fmt::Debug for Lock<T, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Formatting must not take the lock: it may be held by the caller.
        f.debug_struct("Lock").finish_non_exhaustive()
    }
}

/// Proof that a [`Lock`] is held; derefs to what it guards.
///
/// Neither `Send` (a real machine must restore the interrupt state of the CPU that locked) nor to be kept for long.
#[must_use = "the lock is released as soon as its guard is dropped"]
pub struct LockGuard<'a, T, P: Platform> {
    lock: &'a Lock<T, P>,
    saved: <P::RawLock as RawLock>::Saved,
    _not_send: PhantomData<*mut ()>,
}

/// What a guard would need to be dropped in another context. No type has it; it is there for its message.
#[diagnostic::on_unimplemented(
    message = "a lock is given back in the context that took it",
    label = "takes a `LockGuard` along",
    note = "take a reference to the `Lock` along, and lock it there"
)]
pub trait UnlocksElsewhere {}

// SAFETY: never applies: no type meets the condition. [NEVER]
unsafe impl<'a, T, P: Platform> Send for LockGuard<'a, T, P> where
    LockGuard<'a, T, P>: UnlocksElsewhere
{
}

impl<T: fmt::Debug, P: Platform> fmt::Debug for LockGuard<'_, T, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T, P: Platform> Deref for LockGuard<'_, T, P> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the guard exists, so this context holds the raw lock and nobody else touches the value; the borrow
        // is tied to the guard. [LOCKED]
        self.lock.value.with(|value| unsafe { &*value })
    }
}

impl<T, P: Platform> DerefMut for LockGuard<'_, T, P> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as in `deref`, and `&mut self` makes this the only borrow through the guard. [LOCKED]
        self.lock.value.with_mut(|value| unsafe { &mut *value })
    }
}

impl<T, P: Platform> Drop for LockGuard<'_, T, P> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: this guard holds the lock, `saved` is what `lock` returned, and the guard cannot have left the
        // context that locked (`!Send`). [LOCKED]
        unsafe { self.lock.raw.unlock(self.saved) }
    }
}
