//! Contexts of a hosted platform: a thread, or a callback that runs on one.

use core::cell::Cell;
use core::sync::atomic::{AtomicUsize, Ordering};

use crate::context::ContextId;

std::thread_local! {
    // No destructor and a constant initialiser: usable until the very end of the thread.
    static THREAD: Cell<usize> = const { Cell::new(0) };
    static CALLBACK: Cell<bool> = const { Cell::new(false) };
    /// Whether the innermost callback, if there is one, may sleep.
    static WORK: Cell<bool> = const { Cell::new(false) };
    /// The queue for its timers, from 1; 0: not said.
    static QUEUE: Cell<usize> = const { Cell::new(0) };
}

/// The thread's number, counted from 1 over the whole process: a callback of one platform is a callback for all.
fn thread() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(1);
    THREAD.with(|thread| {
        if thread.get() == 0 {
            // Relaxed: only distinct numbers are wanted.
            thread.set(NEXT.fetch_add(1, Ordering::Relaxed));
        }
        thread.get()
    })
}

/// The context that the caller runs in.
pub(crate) fn current() -> ContextId {
    // A callback inside of another is no context of its own: who waits there for the outer one waits for himself, and is told so.
    let id = (thread() * 2 + usize::from(in_callback())) * 2;
    // Never zero and always even: threads are counted from 1.
    match ContextId::new(id) {
        Some(id) => id,
        None => unreachable!("{id} is even and not zero"),
    }
}

/// Whether a context is of the calling thread. Of its two only that of a callback interrupts the other, which does not run meanwhile.
pub(crate) fn is_beneath(context: ContextId) -> bool {
    context.get() / 4 == thread()
}

/// Says which queue the calling thread is for, so that what its callbacks start stays with it.
pub(crate) fn belong_to(queue: usize) {
    QUEUE.with(|cell| cell.set(queue + 1));
}

/// The queue for what the calling thread starts, before the division by how many there are: its own, else one that goes by the thread's number.
#[inline]
pub(crate) fn belongs_to() -> usize {
    match QUEUE.with(Cell::get) {
        0 => thread(),
        queue => queue - 1,
    }
}

/// Whether the caller runs inside a callback.
pub(crate) fn in_callback() -> bool {
    CALLBACK.with(Cell::get)
}

/// Whether the caller may sleep: it runs inside no callback, or the innermost is work.
pub(crate) fn may_sleep() -> bool {
    !in_callback() || WORK.with(Cell::get)
}

/// Runs `f` as a callback of the hosted platforms, [`Host`](crate::platform::Host) and [`Sim`](crate::platform::Sim): another context than its thread's own, in which one may not sleep, and where a
/// [`Binding`](crate::Binding) that is dropped is removed later.
///
/// For a source of callbacks that has threads of its own; a platform does this for what it calls itself.
pub fn callback<R>(f: impl FnOnce() -> R) -> R {
    enter(false, f)
}

/// The same for a callback that may sleep.
pub(crate) fn work<R>(f: impl FnOnce() -> R) -> R {
    enter(true, f)
}

fn enter<R>(work: bool, f: impl FnOnce() -> R) -> R {
    /// Whether it was a callback, and work, where the caller is.
    struct Leave(bool, bool);
    impl Drop for Leave {
        fn drop(&mut self) {
            CALLBACK.with(|callback| callback.set(self.0));
            WORK.with(|work| work.set(self.1));
        }
    }
    let callback = CALLBACK.with(|cell| cell.replace(true));
    let _leave = Leave(callback, WORK.with(|cell| cell.replace(work)));
    f()
}
