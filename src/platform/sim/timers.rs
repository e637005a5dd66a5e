//! The timers of a `Sim`: those of its queues, with a line in the log for everything.

use std::format;
use std::sync::Arc;

use core::fmt;
use core::ptr::{self, NonNull};
use core::time::Duration;

use super::{Sim, World};
use crate::context::MaySleep;
use crate::error::Error;
use crate::platform::{Arm, TimerEntry, TimerState, Timers, TryCancel};
use crate::time::Instant;
use crate::timer::queue::QueueNode;
use crate::timer::TimerMode;

/// A timer of a [`Sim`]: numbered, so that a log can tell it from others.
pub struct SimTimer {
    queued: QueueNode,
    number: u64,
    entry: TimerEntry,
    context: *const (),
    sim: *const World,
}

// SAFETY: but for the `queued` part, which is `Sync`, a timer is not written after its init; the pointers are only handed on
// (`context`) or used while the platform exists (`sim`). [SHARED]
unsafe impl Send for SimTimer {}
// SAFETY: as above. [SHARED]
unsafe impl Sync for SimTimer {}

impl fmt::Debug for SimTimer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SimTimer({})", self.number)
    }
}

/// Tells the log, then calls the timer's own entry.
///
/// # Safety
/// `timer` is a `SimTimer` whose entry may be called.
unsafe extern "C" fn expire(timer: *const (), expires: Instant) {
    // SAFETY: the queue calls this between the timer's init and the return of its shut. The `Sim` outlives the scope. [SHUT, STAYS]
    let (number, entry, context, sim) = unsafe {
        let timer = timer.cast::<SimTimer>();
        (
            (*timer).number,
            (*timer).entry,
            (*timer).context,
            &*(*timer).sim,
        )
    };
    sim.log(|| format!("timer {number} expires"));
    // SAFETY: as above. [SHUT, STAYS]
    unsafe { entry(context, expires) }
}

/// The queued part of a timer.
///
/// # Safety
/// The timer is initialised and not released.
unsafe fn queued(timer: NonNull<SimTimer>) -> NonNull<QueueNode> {
    // SAFETY: the place of a field of a valid timer. [CALLER]
    unsafe { NonNull::new_unchecked(ptr::addr_of_mut!((*timer.as_ptr()).queued)) }
}

// SAFETY: the promises are those of the monitor's timers, to which all of this goes. [PROMISE]
unsafe impl Timers for Sim {
    type Node = SimTimer;

    unsafe fn init(
        &self,
        node: *mut SimTimer,
        mode: TimerMode,
        entry: TimerEntry,
        context: *const (),
    ) -> Result<(), Error> {
        let queued = QueueNode::on(&*self.0, mode, expire, node as *const ())?;
        let number = {
            let mut state = self.0.lock();
            state.timers += 1;
            state.timers
        };
        // SAFETY: memory for a timer, says the caller. [CALLER]
        unsafe {
            node.write(SimTimer {
                queued,
                number,
                entry,
                context,
                sim: Arc::as_ptr(&self.0),
            });
        }
        Ok(())
    }

    unsafe fn arm(
        &self,
        node: NonNull<SimTimer>,
        at: Instant,
        slack: Option<Duration>,
        how: Arm,
    ) -> Result<(), Error> {
        // SAFETY: (this and the five below) the timer is initialised and of this platform, says the caller, and the crate
        // shuts it before its memory goes. [CALLER]
        let (armed, number) = unsafe {
            (
                self.0.arm(queued(node), at, slack, how),
                (*node.as_ptr()).number,
            )
        };
        self.0.log(|| match (&armed, how) {
            (Ok(_), Arm::Replace) => format!("timer {number} is armed for {at}"),
            (Ok(_), Arm::IfIdle) => format!("timer {number} is armed for {at} unless it is armed"),
            (Err(error), _) => format!("timer {number} is not armed: {error}"),
        });
        armed
    }

    unsafe fn state(&self, node: NonNull<SimTimer>) -> TimerState {
        // SAFETY: see `arm`. [CALLER]
        unsafe { self.0.state(queued(node)) }
    }

    unsafe fn try_cancel(&self, node: NonNull<SimTimer>) -> TryCancel {
        // SAFETY: see `arm`. [CALLER]
        let (found, number) = unsafe { (self.0.try_cancel(queued(node)), (*node.as_ptr()).number) };
        self.0
            .log(|| format!("timer {number} is to be cancelled: {found:?}"));
        found
    }

    unsafe fn cancel(&self, node: NonNull<SimTimer>, cx: MaySleep<'_>, stalled: &dyn Fn()) -> bool {
        // SAFETY: see `arm`. [CALLER]
        let (active, number) = unsafe {
            (
                self.0.cancel(queued(node), cx, stalled),
                (*node.as_ptr()).number,
            )
        };
        self.0
            .log(|| format!("timer {number} is cancelled: active {active}"));
        active
    }

    unsafe fn flush(
        &self,
        node: NonNull<SimTimer>,
        now: Instant,
        cx: MaySleep<'_>,
        stalled: &dyn Fn(),
    ) -> bool {
        // SAFETY: see `arm`. [CALLER]
        let (active, number) = unsafe {
            (
                self.0.flush(queued(node), now, cx, stalled),
                (*node.as_ptr()).number,
            )
        };
        self.0
            .log(|| format!("timer {number} is flushed: active {active}"));
        // Removals that were put off by what it called: not below this wait, where they could wait for its caller.
        if self.0.lock().has_calls_to_make() {
            self.run_deferred_elsewhere();
        }
        active
    }

    unsafe fn shut(
        &self,
        node: NonNull<SimTimer>,
        cx: MaySleep<'_>,
        stalled: &dyn Fn(),
    ) -> TimerState {
        // SAFETY: see `arm`. [CALLER]
        unsafe { self.0.shut(queued(node), cx, stalled) }
    }
}
