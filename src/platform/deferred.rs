//! Calls to be made later, linked through nodes that their askers bring: no allocation, so no failure.

use core::fmt;
use core::ptr;

use crate::platform::DeferredEntry;

/// What a platform with a [`DeferredQueue`] needs to remember one call.
pub struct DeferredNode {
    next: *mut DeferredNode,
    call: DeferredCall,
}

// SAFETY: a node is written by the one who pushes it and read by the one who pops it, both under the queue's lock. [SHARED, LOCKED]
unsafe impl Send for DeferredNode {}
// SAFETY: as above. [SHARED, LOCKED]
unsafe impl Sync for DeferredNode {}

impl fmt::Debug for DeferredNode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeferredNode")
    }
}

/// A call that is due, out of a [`DeferredQueue`].
#[derive(Clone, Copy, Debug)]
pub struct DeferredCall {
    run: DeferredEntry,
    argument: *mut (),
}

// SAFETY: `Platform::defer` has it that the call is sound on any thread. [SHARED, PROMISE]
unsafe impl Send for DeferredCall {}

impl DeferredCall {
    /// Makes the call.
    ///
    /// # Safety
    /// Once per push, where one may sleep, outside every callback and lock.
    pub unsafe fn make(self) {
        // SAFETY: the promises of `Platform::defer` and of the caller. [CALLER]
        unsafe { (self.run)(self.argument) }
    }
}

/// Calls to be made later, first in, first out: for a platform's [`defer`](crate::platform::Platform::defer), which keeps it under a lock that every context
/// may take. It allocates nothing.
pub struct DeferredQueue {
    first: *mut DeferredNode,
    last: *mut DeferredNode,
}

// SAFETY: the nodes are valid until popped and are touched only under the lock that holds the queue. [SHARED, LOCKED]
unsafe impl Send for DeferredQueue {}

impl DeferredQueue {
    /// Nothing to be done.
    #[must_use]
    pub const fn new() -> Self {
        DeferredQueue {
            first: ptr::null_mut(),
            last: ptr::null_mut(),
        }
    }

    /// Adds a call of `run(argument)`.
    ///
    /// # Safety
    /// As for [`Platform::defer`](crate::platform::Platform::defer).
    pub unsafe fn push(&mut self, node: *mut DeferredNode, run: DeferredEntry, argument: *mut ()) {
        // SAFETY: the caller's promise; `last`, being in the queue, is valid. [QUEUED, CALLER]
        unsafe {
            node.write(DeferredNode {
                next: ptr::null_mut(),
                call: DeferredCall { run, argument },
            });
            if self.last.is_null() {
                self.first = node;
            } else {
                (*self.last).next = node;
            }
        }
        self.last = node;
    }

    /// Whether nothing is to be done.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.first.is_null()
    }

    /// Takes out the first call. Its node is not touched again: making the call may free it.
    #[must_use]
    pub fn pop(&mut self) -> Option<DeferredCall> {
        if self.first.is_null() {
            return None;
        }
        // SAFETY: nodes in the queue are valid. [QUEUED]
        let (call, next) = unsafe { ((*self.first).call, (*self.first).next) };
        self.first = next;
        if next.is_null() {
            self.last = ptr::null_mut();
        }
        Some(call)
    }
}

impl Default for DeferredQueue {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for DeferredQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeferredQueue")
            .field("empty", &self.is_empty())
            .finish()
    }
}
