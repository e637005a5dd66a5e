// SPDX-License-Identifier: GPL-2.0

//! The module's work queue: what is deferred, and work.

use core::mem;
use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};

use driver_scope::platform::DeferredEntry;
use kernel::bindings;
use kernel::error::Result;
use kernel::prelude::*;

use crate::alive::Alive;

mod c {
    use super::bindings;

    // SAFETY: as `helpers.c` defines it. [FOREIGN]
    extern "C" {
        pub(super) fn driver_scope_init_work(
            work: *mut bindings::work_struct,
            function: bindings::work_func_t,
        );
    }
}

/// Set while the module is there.
static QUEUE: AtomicPtr<bindings::workqueue_struct> = AtomicPtr::new(ptr::null_mut());

/// The queue. When it is dropped, what was queued has been run.
pub(crate) struct Queue(());

impl Queue {
    /// Makes the queue. Once.
    pub(crate) fn new() -> Result<Self> {
        // Run by the CPU that queues it, as the threads of interrupts mostly are; as many at once as the kernel thinks fit.
        // SAFETY: a name that is no format. [FOREIGN]
        let queue = unsafe {
            bindings::alloc_workqueue_noprof(
                c"driver_scope".as_char_ptr(),
                bindings::wq_flags_WQ_PERCPU,
                0,
            )
        };
        if queue.is_null() {
            return Err(ENOMEM);
        }
        // Release: pairs with the Acquire in `queue`.
        QUEUE.store(queue, Ordering::Release);
        Ok(Queue(()))
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        // Relaxed: it is ours. Nobody queues any more: there are no scopes but those whose end is queued.
        let queue = QUEUE.load(Ordering::Relaxed);
        // SAFETY: made by `new`. It runs what is queued before it goes. [FOREIGN]
        unsafe { bindings::destroy_workqueue(queue) };
    }
}

/// Queues work.
///
/// # Safety
/// `work` was initialised and is there until it has begun to run, or was cancelled.
pub(crate) unsafe fn queue(work: *mut bindings::work_struct) {
    // Acquire: pairs with the Release in `Queue::new`, which comes before there is a scope.
    let queue = QUEUE.load(Ordering::Acquire);
    // SAFETY: the queue is there as long as the module is; the caller's promise. [FOREIGN, CALLER]
    unsafe {
        bindings::queue_work_on(
            bindings::wq_misc_consts_WORK_CPU_UNBOUND as i32,
            queue,
            work,
        )
    };
}

/// Initialises work.
///
/// # Safety
/// `work` points to memory for it, where it stays.
pub(crate) unsafe fn init(
    work: *mut bindings::work_struct,
    function: unsafe extern "C" fn(*mut bindings::work_struct),
) {
    // SAFETY: the caller's promise. [CALLER]
    unsafe { c::driver_scope_init_work(work, Some(function)) };
}

/// A call that was deferred.
#[repr(C)]
pub struct Deferred {
    /// First, so that a pointer to it is one to the whole.
    work: bindings::work_struct,
    run: DeferredEntry,
    argument: *mut (),
}

// SAFETY: written by who defers, then read by the one worker that makes the call. [SHARED]
unsafe impl Send for Deferred {}
// SAFETY: as above. [SHARED]
unsafe impl Sync for Deferred {}

/// For `Platform::defer`.
///
/// # Safety
/// As there.
pub(crate) unsafe fn defer(node: *mut Deferred, run: DeferredEntry, argument: *mut ()) {
    /// # Safety
    /// For the kernel: `work` is what this queued, and is called once.
    unsafe extern "C" fn make(work: *mut bindings::work_struct) {
        let node = work.cast::<Deferred>();
        // SAFETY: queued by `defer`, and so there until its call; read before that, which may free it. The kernel does not touch work that it has called. [LAST, FOREIGN]
        unsafe {
            let (run, argument, alive) = ((*node).run, (*node).argument, Alive::again());
            run(argument);
            // Only now: what it has made is counted, too. The rest of this the end of the queue waits for.
            drop(alive);
        }
    }
    // SAFETY: memory for it, which stays where it is until the call, says the caller. [CALLER]
    unsafe {
        ptr::addr_of_mut!((*node).run).write(run);
        ptr::addr_of_mut!((*node).argument).write(argument);
        init(ptr::addr_of_mut!((*node).work), make);
        // Until it has run: see `make`. It cannot be in the node, which goes by then.
        mem::forget(Alive::new());
        queue(ptr::addr_of_mut!((*node).work));
    }
}
