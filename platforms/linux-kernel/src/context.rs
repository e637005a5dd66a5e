// SPDX-License-Identifier: GPL-2.0

//! Where code runs: a task, or an interrupt on top of one.

use core::ptr;
use core::sync::atomic::{AtomicPtr, AtomicUsize, Ordering::Relaxed};

use driver_scope::ContextId;
use kernel::bindings;
use kernel::ffi::c_uint;

mod c {
    use super::c_uint;

    // SAFETY: as `helpers.c` defines them. [FOREIGN]
    extern "C" {
        pub(super) fn driver_scope_level() -> c_uint;
        pub(super) fn driver_scope_is_preemptible() -> bool;
    }
}

/// The current task, or the one that was interrupted.
fn task() -> *mut bindings::task_struct {
    // SAFETY: there is always one. [FOREIGN]
    unsafe { bindings::get_current() }
}

/// What interrupted the current task: 0, nothing; else a soft interrupt, a hard one, one that cannot be masked.
fn level() -> usize {
    // SAFETY: it looks at a counter of the CPU that only changes in step with what the caller does. [FOREIGN]
    unsafe { c::driver_scope_level() as usize }
}

/// Whether the caller may sleep, as far as the kernel can tell.
pub(crate) fn may_sleep() -> bool {
    // SAFETY: as in `level`. [FOREIGN]
    unsafe { c::driver_scope_is_preemptible() }
}

/// To be called before what sleeps, where the caller has brought no more than a token.
///
/// # Panics
/// Where one may not sleep: then the token was taken along from where it was lent, and to go on would be unsound.
#[track_caller]
pub(crate) fn assert_may_sleep() {
    assert!(may_sleep(), "a wait where one may not sleep");
}

/// The context that the caller runs in.
///
/// Tasks are told apart by their address, which is a multiple of 8 at least, and what has interrupted a task by its level: a CPU has one handler of each
/// level at a time, on top of the task that it runs.
pub(crate) fn current() -> ContextId {
    match ContextId::new(task().addr() + 2 * level()) {
        Some(id) => id,
        None => unreachable!("a task has an address"),
    }
}

/// Whether the caller runs inside a callback, or elsewhere where a teardown must not wait.
pub(crate) fn in_callback() -> bool {
    !may_sleep() || Worker::is_here()
}

/// A note that the current task is running work.
///
/// (The kernel would tell which work its worker runs, but not whether that is still there: work may free itself.)
pub(crate) struct Worker {
    place: Option<&'static AtomicPtr<bindings::task_struct>>,
}

/// The tasks that are running work. Relaxed: a task looks for itself alone.
static WORKERS: [AtomicPtr<bindings::task_struct>; 32] =
    [const { AtomicPtr::new(ptr::null_mut()) }; 32];

/// How many more there are. While there are any, every task counts as one. Relaxed: as above.
static MORE: AtomicUsize = AtomicUsize::new(0);

impl Worker {
    /// Takes the note; it is crossed out when this is dropped.
    pub(crate) fn begin() -> Self {
        let task = task();
        let take = |place: &&AtomicPtr<_>| {
            place
                .compare_exchange(ptr::null_mut(), task, Relaxed, Relaxed)
                .is_ok()
        };
        let place = WORKERS.iter().find(take);
        if place.is_none() {
            MORE.fetch_add(1, Relaxed);
        }
        Worker { place }
    }

    fn is_here() -> bool {
        let task = task();
        MORE.load(Relaxed) > 0 || WORKERS.iter().any(|place| place.load(Relaxed) == task)
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        match self.place {
            Some(place) => place.store(ptr::null_mut(), Relaxed),
            None => {
                MORE.fetch_sub(1, Relaxed);
            }
        }
    }
}
