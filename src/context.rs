//! Where code runs: the token that proves one may sleep, and the identity of a context.

use core::fmt;
use core::marker::PhantomData;
use core::num::NonZeroUsize;

/// Proof that the caller may sleep.
///
/// Zero-sized and `Copy`, but only ever *lent* to a function or closure that must take it for any lifetime, and neither
/// `Send` nor `Sync`: so it cannot be captured by a timer or interrupt callback. Whatever waits takes one, by value.
/// It comes from `probe` (through [`DriverScope::may_sleep`](crate::DriverScope::may_sleep)), from `remove`, from an
/// `on_remove` action, from [work](crate::WorkContext::may_sleep), and from the platform's own `may_sleep`.
///
/// It refuses the common mistake at compile time. Memory safety never rests on it: a wait for oneself is found out at
/// run time as well, where that can be, and answers [`Error::Deadlock`](crate::Error::Deadlock); where it cannot, it is a hang that is reported.
#[derive(Clone, Copy)]
pub struct MaySleep<'c> {
    // `*mut &'c mut ()`: invariant in `'c`, `!Send` and `!Sync`, and no size.
    _context: PhantomData<*mut &'c mut ()>,
}

impl<'c> MaySleep<'c> {
    /// Makes the proof out of nothing; for platforms.
    ///
    /// # Safety
    /// The caller is in a context that may sleep, and lends the token only to code that ends before that context does
    /// (a `for<'c> FnOnce(MaySleep<'c>)` or a callee that is generic in `'c`).
    #[must_use]
    pub const unsafe fn assume() -> Self {
        MaySleep {
            _context: PhantomData,
        }
    }
}

/// What a token would need to be used in another context. No type has it; it is there for its message.
#[diagnostic::on_unimplemented(
    message = "a `MaySleep` holds for the context that it was lent to, and for no other",
    label = "takes a `MaySleep` along",
    note = "a callback may not sleep, so nothing that waits can be called in it: use `try_cancel`, or ask for a restart",
    note = "elsewhere, whoever calls a function that waits brings the token: `fn stop(data: &Data<'_>, cx: MaySleep<'_>)`"
)]
pub trait HoldsElsewhere {}

// SAFETY: never applies: no type meets the condition. [NEVER]
unsafe impl<'c> Send for MaySleep<'c> where MaySleep<'c>: HoldsElsewhere {}
// SAFETY: as above. [NEVER]
unsafe impl<'c> Sync for MaySleep<'c> where MaySleep<'c>: HoldsElsewhere {}

impl fmt::Debug for MaySleep<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MaySleep")
    }
}

/// Identifies a context of execution: a thread, or a callback that interrupted one.
///
/// Contexts that can be live at once have different ids. Never zero and always even; the crate uses the lowest bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ContextId(NonZeroUsize);

impl ContextId {
    /// An id from an even number other than zero: an object's address, twice a counter.
    #[must_use]
    pub const fn new(id: usize) -> Option<Self> {
        match NonZeroUsize::new(id) {
            Some(id) if id.get() % 2 == 0 => Some(ContextId(id)),
            _ => None,
        }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> usize {
        self.0.get()
    }
}
