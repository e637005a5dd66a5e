//! What the second processor does outside interrupts: calls that were deferred, work, and whatever else is given to it.

use driver_scope::platform::{DeferredEntry, DeferredNode, DeferredQueue};

use crate::machine::apic;
use crate::machine::lock::Spin;
use crate::platform::timers;

/// The processor that it runs on.
pub const CPU: usize = 1;

static DEFERRED: Spin<DeferredQueue> = Spin::new(DeferredQueue::new());

/// Has a call made later.
///
/// # Safety
/// As for [`Platform::defer`](driver_scope::Platform::defer).
pub unsafe fn defer(node: *mut DeferredNode, run: DeferredEntry, argument: *mut ()) {
    // SAFETY: the caller's promise. [CALLER]
    DEFERRED.with(|queue| unsafe { queue.push(node, run, argument) });
    wake();
}

/// Has it look whether there is something to do.
pub fn wake() {
    // A look at the timers does no harm, and an interrupt ends the wait for one.
    apic::interrupt(CPU, apic::TIMER);
}

/// Never ends. `step` does a part of other work, if there is any, and says whether there was; `is_idle`, whether there is none.
pub fn run(step: impl Fn() -> bool, is_idle: impl Fn() -> bool) -> ! {
    loop {
        while let Some(call) = DEFERRED.with(DeferredQueue::pop) {
            // SAFETY: out of the queue, once; no handler and no lock here. [QUEUED]
            unsafe { call.make() };
        }
        let worked = timers::work();
        if !step() && !worked {
            timers::wait_for_work(|| !is_idle() || !DEFERRED.with(|queue| queue.is_empty()));
        }
    }
}
