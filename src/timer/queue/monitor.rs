//! A queue behind a platform's lock, and the timers that come of it.

use core::ptr::{self, NonNull};
use core::time::Duration;

use crate::context::MaySleep;
use crate::error::Error;
use crate::platform::{Arm, TimerEntry, TimerState, Timers, TryCancel};
use crate::time::Instant;
use crate::timer::queue::{nanos, Queue, QueueNode, Size, CROWDED, NOWHERE, SHUT};
use crate::timer::{Clock, TimerMode};

#[cfg(all(test, not(loom)))]
mod tests;

/// A platform's queues, each behind a lock, with a way to wait for entries to end.
///
/// Queues are told apart by their numbers. A platform with one ignores them: each is 0. More of them, say one for each processor, let timers be
/// started and expire side by side; a timer belongs to one of them at a time, see [the module](crate::timer::queue).
///
/// # Safety
/// For each queue by itself: `with` and `wait` run their closure with exclusive access to one and the same queue, which no entry
/// that is called from it can be inside; what was done under the lock happens before the next closure runs under it. After a `Call` came out of
/// the queue it is made, and then `finished` is called and all waiters are woken. There is a queue for each number that `here` has returned.
pub unsafe trait Monitor {
    /// The size of its queues.
    type Size: Size;

    /// The queue for timers of this mode that the calling context starts, a queue of the mode's clock. A timer goes there unless its callback runs at that
    /// moment, or it is pinned and was started before. (Which queue is not a matter of soundness: any timer may be in any.)
    ///
    /// It is asked first when a timer of this mode is registered, where one may sleep; later from any context.
    ///
    /// # Errors
    /// What the platform lacks for such timers, [`Error::Unsupported`] if it never has them. None is registered then. As it is, there is one queue, for the
    /// monotonic clock.
    #[inline(always)]
    fn here(&self, mode: TimerMode) -> Result<usize, Error> {
        match (mode.clock, mode.soft || mode.may_sleep()) {
            (Clock::Monotonic, false) => Ok(0),
            _ => Err(Error::Unsupported),
        }
    }

    /// Runs `f` with a queue.
    ///
    /// # Safety
    /// For this module and the platform's own alarm, which keep the queue in order: whoever takes a node out of it, or says that
    /// an entry has ended, decides what may be freed. `queue` came from `here`.
    unsafe fn with<R>(&self, queue: usize, f: impl FnOnce(&mut Queue<Self::Size>) -> R) -> R;

    /// Runs `f` with a queue until it returns something; between two tries, waits until an entry of that queue has ended. Calls
    /// `stalled`, which does not unwind, about every second, without the lock.
    ///
    /// # Safety
    /// As for [`with`](Monitor::with).
    unsafe fn wait<R>(
        &self,
        queue: usize,
        f: impl FnMut(&mut Queue<Self::Size>) -> Option<R>,
        stalled: &dyn Fn(),
    ) -> R;

    /// Is told, without the lock, that a timer of a queue expires before what the queue told last: the alarm must be set anew. (Not while an entry of that
    /// queue runs: after [`Queue::finished`] one asks anyway.)
    fn alarm(&self, queue: usize);
}

// SAFETY: the promises, by their numbers. 1: a node is in a queue only while it is armed, and is called only when it was taken out
// of it; `shut` takes it out for good. 2: nothing here calls an entry. 3: all of it happens under the lock of the queue that the node
// belongs to, or on its way from one to another, where it is in none and `arm` begins anew; it does not move while its entry runs, so
// both waits look at the queue that says so, and end only when that says that the entry has returned. 4: that is noted in the queue,
// not in the node, and the queue that a node has left has nothing of it any more; where waiters sleep is up to the monitor. [PROMISE, QUEUED, LOCKED]
unsafe impl<M: Monitor + Sync> Timers for M {
    type Node = QueueNode;

    unsafe fn init(
        &self,
        node: *mut QueueNode,
        mode: TimerMode,
        entry: TimerEntry,
        context: *const (),
    ) -> Result<(), Error> {
        let new = QueueNode::on(self, mode, entry, context)?;
        // SAFETY: memory for a node, says the caller. [CALLER]
        unsafe { node.write(new) };
        Ok(())
    }

    #[inline]
    unsafe fn arm(
        &self,
        node: NonNull<QueueNode>,
        at: Instant,
        slack: Option<Duration>,
        how: Arm,
    ) -> Result<(), Error> {
        // SAFETY: (this and the five below) initialised and always used with these timers, says the caller, and the crate shuts it
        // before its memory goes. [CALLER]
        unsafe { arm(self, node, at, slack, how) }
    }

    #[inline]
    unsafe fn state(&self, node: NonNull<QueueNode>) -> TimerState {
        // SAFETY: see `arm`. [CALLER]
        unsafe { state(self, node) }
    }

    #[inline]
    unsafe fn try_cancel(&self, node: NonNull<QueueNode>) -> TryCancel {
        // SAFETY: see `arm`. [CALLER]
        unsafe { try_cancel(self, node) }
    }

    unsafe fn cancel(
        &self,
        node: NonNull<QueueNode>,
        _cx: MaySleep<'_>,
        stalled: &dyn Fn(),
    ) -> bool {
        // SAFETY: see `arm`. [CALLER]
        unsafe { cancel(self, node, stalled) }
    }

    unsafe fn flush(
        &self,
        node: NonNull<QueueNode>,
        now: Instant,
        _cx: MaySleep<'_>,
        stalled: &dyn Fn(),
    ) -> bool {
        // SAFETY: see `arm`. [CALLER]
        unsafe { flush(self, node, now, stalled) }
    }

    unsafe fn shut(
        &self,
        node: NonNull<QueueNode>,
        _cx: MaySleep<'_>,
        stalled: &dyn Fn(),
    ) -> TimerState {
        // SAFETY: see `arm`. [CALLER]
        unsafe { shut(self, node, stalled) }
    }
}

/// Runs `f` with the queue that the node belongs to, and that queue's number.
///
/// # Safety
/// `node` is valid and always used with this monitor.
#[inline(always)]
unsafe fn locked<M: Monitor, R>(
    monitor: &M,
    node: NonNull<QueueNode>,
    mut f: impl FnMut(usize, &mut Queue<M::Size>) -> R,
) -> R {
    // SAFETY: valid, says the caller; only ever borrowed shared. [CALLER]
    let this = unsafe { node.as_ref() };
    loop {
        let number = this.queue();
        // SAFETY: nodes only ever name what `here` has returned. Each of the functions below keeps the queue in order: see there. [LOCKED, CALLER]
        let done = unsafe {
            monitor.with(number, |queue| {
                // If not, it was passed on before we had the lock: there is another to be taken.
                this.belongs_to(number).then(|| f(number, queue))
            })
        };
        if let Some(result) = done {
            return result;
        }
    }
}

/// The same, again and again after an entry of that queue has ended, until `f` returns something.
///
/// # Safety
/// As for [`locked`].
unsafe fn waited<M: Monitor, R>(
    monitor: &M,
    node: NonNull<QueueNode>,
    mut f: impl FnMut(&mut Queue<M::Size>) -> Option<R>,
    stalled: &dyn Fn(),
) -> R {
    // SAFETY: valid, says the caller; only ever borrowed shared. [CALLER]
    let this = unsafe { node.as_ref() };
    loop {
        let number = this.queue();
        let look = |queue: &mut Queue<M::Size>| {
            if this.belongs_to(number) {
                f(queue).map(Some)
            } else {
                Some(None)
            }
        };
        // SAFETY: as in `locked`. [LOCKED, CALLER]
        if let Some(result) = unsafe { monitor.wait(number, look, stalled) } {
            return result;
        }
    }
}

/// What came of one attempt to arm.
enum Armed {
    /// It is armed, or need not be.
    Done,
    /// It is armed, and the first of this queue: the alarm must be set anew.
    First(usize),
    /// It was given to the queue that was asked for, and has to be armed there.
    Moved,
}

/// [`Timers::arm`].
///
/// # Errors
/// [`Error::Closed`] for a node that was shut.
///
/// # Safety
/// `node` is valid, always used with this monitor, and stays valid until it was shut and this has returned.
#[inline(always)]
unsafe fn arm(
    monitor: &impl Monitor,
    node: NonNull<QueueNode>,
    at: Instant,
    slack: Option<Duration>,
    how: Arm,
) -> Result<(), Error> {
    // SAFETY: valid, says the caller; only ever borrowed shared. [CALLER]
    let this = unsafe { node.as_ref() };
    let slack = slack.map(nanos);
    // (What there is to ask for is known beforehand for nearly all.)
    let to = if this.mode.is_plain() {
        monitor.here(TimerMode::new())
    } else {
        monitor.here(this.mode.get())
    };
    let number = this.queue();
    if to == Ok(number) {
        // What nearly all starts are: a timer that belongs here, that nobody waits for, and that nothing keeps from being armed.
        // SAFETY: see `locked`; valid, and under the lock of its queue, which is looked at first. [LOCKED, CALLER]
        let first = unsafe {
            monitor.with(number, move |queue| {
                let is_usual = this.belongs_to(number)
                    && QueueNode::state(node).held == 0
                    && (how == Arm::Replace || !QueueNode::state(node).is_armed());
                is_usual.then(|| queue.rearm(node, at, slack))
            })
        };
        match first {
            Some(false) => return Ok(()),
            Some(true) => {
                monitor.alarm(number);
                return Ok(());
            }
            None => {}
        }
    }
    // SAFETY: the caller's promise. [CALLER]
    unsafe {
        arm_unusual(
            monitor,
            node,
            to.ok().and_then(|to| to.try_into().ok()),
            at,
            slack,
            how,
        )
    }
}

/// The same for whatever node.
///
/// # Safety
/// As for [`arm`].
#[cold]
#[inline(never)]
unsafe fn arm_unusual(
    monitor: &impl Monitor,
    node: NonNull<QueueNode>,
    mut to: Option<u16>,
    at: Instant,
    slack: Option<u64>,
    how: Arm,
) -> Result<(), Error> {
    // It is moved once at most: of two contexts that start it again and again, neither keeps the other from an end.
    loop {
        // SAFETY: valid, says the caller, and the closure runs under the lock of its queue. [LOCKED, CALLER]
        let armed = unsafe {
            locked(monitor, node, |number, queue| {
                // Tested under the lock under which `shut` marks it: either this arm comes first and shut disarms it, or it has
                // no effect (promise 3). Again after a move: in between, nobody's lock kept a shut away.
                let held = QueueNode::state(node).held;
                if held & SHUT != 0 {
                    return Err(Error::Closed);
                }
                if how == Arm::IfIdle && QueueNode::state(node).is_armed() {
                    return Ok(Armed::Done);
                }
                if let Some(to) = to.take() {
                    if usize::from(to) != number && queue.may_leave(node) {
                        queue.pass_on(node, to);
                        return Ok(Armed::Moved);
                    }
                }
                if held != 0 {
                    // As if this arm had come just before the cancel that waits, which undoes it. Else a callback that restarts itself at
                    // once would be taken out again before the waiter gets the lock, each time, and the cancel never end.
                    queue.disarm(node);
                    QueueNode::look(node, |inner| inner.set_expires(at, slack));
                    QueueNode::set(node, |state| state.place = NOWHERE);
                    return Ok(Armed::Done);
                }
                Ok(match queue.rearm(node, at, slack) {
                    true => Armed::First(number),
                    false => Armed::Done,
                })
            })?
        };
        match armed {
            Armed::Done => return Ok(()),
            Armed::First(number) => {
                monitor.alarm(number);
                return Ok(());
            }
            Armed::Moved => {}
        }
    }
}

/// [`Timers::state`].
///
/// # Safety
/// As for [`arm`].
unsafe fn state(monitor: &impl Monitor, node: NonNull<QueueNode>) -> TimerState {
    // SAFETY: valid, says the caller, and the closure runs under the lock of its queue. [LOCKED, CALLER]
    unsafe {
        locked(monitor, node, |_, queue| {
            let running = queue.is_running(node);
            TimerState {
                armed: QueueNode::state(node).is_armed(),
                running,
                expires: QueueNode::expires(node),
            }
        })
    }
}

/// [`Timers::try_cancel`].
///
/// # Safety
/// As for [`arm`].
#[inline(always)]
unsafe fn try_cancel(monitor: &impl Monitor, node: NonNull<QueueNode>) -> TryCancel {
    // SAFETY: valid, says the caller, and the closure runs under the lock of its queue. [LOCKED, CALLER]
    unsafe {
        locked(monitor, node, |_, queue| {
            let armed = queue.disarm(node);
            if queue.is_running(node) {
                TryCancel::Running
            } else if armed {
                TryCancel::Cancelled
            } else {
                TryCancel::Idle
            }
        })
    }
}

/// [`Timers::cancel`].
///
/// # Safety
/// As for [`arm`]. (Called inside an entry of the node, it does not return.)
unsafe fn cancel(monitor: &impl Monitor, node: NonNull<QueueNode>, stalled: &dyn Fn()) -> bool {
    let mut active = false;
    let mut counted = false;
    let attempt = |queue: &mut Queue<_>| {
        let running = queue.is_running(node);
        // SAFETY: valid, says the caller, and under the lock of its queue. [LOCKED, CALLER]
        unsafe {
            if !counted {
                active |= queue.disarm(node) || running;
            }
            if running != counted {
                // From here on `arm` has no effect, until this is over; so one disarm is enough.
                counted = QueueNode::set(node, |state| match running {
                    true if state.held & CROWDED == CROWDED => false,
                    true => {
                        state.held += 1;
                        true
                    }
                    false => {
                        state.held -= 1;
                        false
                    }
                });
            }
            (!running).then_some(active)
        }
    };
    // SAFETY: the caller's promise. [CALLER]
    unsafe { waited(monitor, node, attempt, stalled) }
}

/// [`Timers::flush`].
///
/// A timer of its own stands in the queue behind what is waited for, and is waited for instead: since a queue calls one entry after the other, the order of expiry says
/// when that is over, whatever becomes of the node itself.
///
/// # Safety
/// As for [`arm`]. (Called inside an entry of that queue, it does not return.)
unsafe fn flush(
    monitor: &impl Monitor,
    node: NonNull<QueueNode>,
    now: Instant,
    stalled: &dyn Fn(),
) -> bool {
    /// # Safety
    /// Asks for nothing.
    unsafe extern "C" fn nothing(_context: *const (), _expires: Instant) {}
    let behind = QueueNode::of(0, TimerMode::work(), nothing, ptr::null());
    let behind = NonNull::from(&behind);
    // SAFETY: valid, says the caller, as is the other throughout this call; each is looked at under the lock of its queue. [LOCKED, CALLER]
    let queued = unsafe {
        locked(monitor, node, |number, queue| {
            let armed = QueueNode::state(node).is_armed();
            if !armed && !queue.is_running(node) {
                return None;
            }
            let due = Instant::from_nanos(QueueNode::link(node, |link| link.at));
            // Behind the entry that runs, and before all others; or behind the node.
            let at = if armed { due.min(now) } else { Instant::ZERO };
            let is_sooner = armed && due > now && queue.rearm(node, now, Some(0));
            // (A number that a node has fits.)
            behind.as_ref().pass_to(number as u16);
            Some((number, queue.rearm(behind, at, Some(0)) || is_sooner))
        })
    };
    let Some((number, alarm)) = queued else {
        return false;
    };
    if alarm {
        monitor.alarm(number);
    }
    let passed = |queue: &mut Queue<_>| {
        // SAFETY: under the lock of its queue, which it never leaves: nobody else knows it. [LOCKED]
        let armed = unsafe { QueueNode::state(behind).is_armed() };
        (!armed && !queue.is_running(behind)).then_some(())
    };
    // SAFETY: the number is one of `here`. Afterwards the queue has nothing of `behind`. [LOCKED, QUEUED]
    unsafe { monitor.wait(number, passed, stalled) };
    true
}

/// [`Timers::shut`].
///
/// # Safety
/// As for [`arm`]. (Called inside an entry of the node, it does not return.)
unsafe fn shut(monitor: &impl Monitor, node: NonNull<QueueNode>, stalled: &dyn Fn()) -> TimerState {
    let mut found = None;
    let attempt = |queue: &mut Queue<_>| {
        let running = queue.is_running(node);
        // SAFETY: valid, says the caller, and under the lock of its queue. [LOCKED, CALLER]
        unsafe {
            if found.is_none() {
                let expires = QueueNode::expires(node);
                let armed = queue.disarm(node);
                found = Some(TimerState {
                    armed,
                    running,
                    expires,
                });
                // From here on `arm` has no effect, so one disarm is enough, and the node stays in this queue.
                QueueNode::set(node, |state| state.held |= SHUT);
            }
        }
        if running {
            None
        } else {
            found
        }
    };
    // SAFETY: the caller's promise. [CALLER]
    unsafe { waited(monitor, node, attempt, stalled) }
}
