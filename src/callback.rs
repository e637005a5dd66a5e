//! What every kind of callback is made of: the driver's closure, its type forgotten, and the mark that keeps it from running beside
//! itself.

use core::ptr::{self, NonNull};

use crate::context::ContextId;
use crate::error::Error;
use crate::platform::Platform;
use crate::scope::DriverScope;
use crate::sync::{AtomicUsize, Ordering};

/// What a kind of callback is called with, and what it returns.
pub trait Signature: 'static {
    /// Lent to the callback for one call.
    type Context<'c>;
    /// What the callback returns.
    type Output;
}

/// A driver's closure in the scope's memory.
pub(crate) struct Callback<S: Signature> {
    closure: NonNull<()>,
    call: unsafe fn(NonNull<()>, &mut S::Context<'_>) -> S::Output,
    drop: unsafe fn(NonNull<()>),
}

impl<S: Signature> Callback<S> {
    /// Moves a closure into the scope's memory.
    ///
    /// # Errors
    /// [`Error::NoMemory`]. The closure is then dropped.
    pub(crate) fn new<'drv, P, F>(scope: &DriverScope<'drv, P>, closure: F) -> Result<Self, Error>
    where
        P: Platform,
        F: FnMut(&mut S::Context<'_>) -> S::Output + Send + 'drv,
    {
        let place = scope.core().arena.reserve::<F>(scope.platform())?;
        // SAFETY: memory for an `F`, ours alone. [ARENA]
        unsafe { place.write(closure) };
        Ok(Callback {
            closure: place.cast(),
            // SAFETY: `closure` is the `F` above, and the caller has it to itself. [TYPED, CALLER]
            call: |closure, context| unsafe { (*closure.as_ptr().cast::<F>())(context) },
            // SAFETY: `closure` is the `F` above; dropped once, after the last call. [TYPED, CALLER]
            drop: |closure| unsafe { ptr::drop_in_place(closure.as_ptr().cast::<F>()) },
        })
    }

    /// Calls the closure.
    ///
    /// # Safety
    /// The scope's memory is there, and no other call of it runs: see [`Running`].
    #[inline]
    pub(crate) unsafe fn call(&self, context: &mut S::Context<'_>) -> S::Output {
        // SAFETY: the caller's promise; not dropped, since that takes `self`. [CALLER]
        unsafe { (self.call)(self.closure, context) }
    }

    /// Drops the closure.
    ///
    /// # Safety
    /// The scope's memory is there, and no call of the closure runs.
    pub(crate) unsafe fn destroy(self) {
        // SAFETY: the caller's promise; once, since it takes `self`. [CALLER]
        unsafe { (self.drop)(self.closure) };
    }
}

/// Set in the mark when there is cause to run again. Context ids are even.
const AGAIN: usize = 1;

/// The mark that a callback never runs beside itself: 0, or the id of the context that runs it, with [`AGAIN`].
///
/// No cause to run is lost: what comes while the callback runs is noted, and the context that runs it then runs it once more.
pub(crate) struct Running(AtomicUsize);

impl Running {
    pub(crate) fn new() -> Self {
        Running(AtomicUsize::new(0))
    }

    /// Takes the mark for the context `me`. `false` if another context has it: then that one was told to run once more.
    #[inline]
    pub(crate) fn enter(&self, me: ContextId) -> bool {
        let me = me.get();
        // Acquire: pairs with the Release that ended the last run, whose writes to the closure's state this run must see.
        while let Err(other) = self
            .0
            .compare_exchange(0, me, Ordering::Acquire, Ordering::Relaxed)
        {
            // Release: what led to this cause is seen by the run that it asks for, which takes the note with Acquire.
            let again = other | AGAIN;
            let noted = self
                .0
                .compare_exchange(other, again, Ordering::Release, Ordering::Relaxed);
            if noted.is_ok() {
                return false;
            }
        }
        true
    }

    /// Gives the mark back, which the context `me` has. `false` if the callback is to run once more: then `me` still has it.
    #[inline]
    pub(crate) fn leave(&self, me: ContextId) -> bool {
        let me = me.get();
        // Release: pairs with the Acquire in `enter`.
        if self
            .0
            .compare_exchange(me, 0, Ordering::Release, Ordering::Relaxed)
            .is_ok()
        {
            return true;
        }
        // Only AGAIN can have come in: nobody else clears the mark. Acquire: pairs with the Release of the note.
        self.0.swap(me, Ordering::Acquire);
        false
    }

    /// Whether the context `me` has the mark: the caller is in the callback.
    pub(crate) fn is_of(&self, me: ContextId) -> bool {
        // Relaxed: only this very context could have stored its own id, and could not have missed it.
        self.0.load(Ordering::Relaxed) & !AGAIN == me.get()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_not_undone_by_the_next() {
        let [one, two, three] = [2, 4, 6].map(|id| ContextId::new(id).unwrap());
        let running = Running::new();
        assert!(running.enter(one));
        assert!(running.is_of(one) && !running.is_of(two));
        assert!(!running.enter(two) && running.is_of(one));
        assert!(!running.enter(three) && running.is_of(one));
        assert!(!running.leave(one), "once more, for both");
        assert!(running.leave(one) && !running.is_of(one));
        assert!(running.enter(two));
    }
}
