//! A queue behind a platform's lock, and the timers that come of it.

use core::ptr::NonNull;
use core::time::Duration;

use crate::context::MaySleep;
use crate::error::Error;
use crate::platform::{Arm, TimerEntry, TimerState, Timers, TryCancel};
use crate::time::Instant;
use crate::timer::queue::{Queue, QueueNode, Size};
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
        match (mode.clock, mode.soft) {
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

    /// Is told, without the lock, that the first expiry of a queue has come nearer: the alarm must be set anew. (Not while an entry of that queue
    /// runs: after [`Queue::finished`] one looks at it anyway.)
    fn alarm(&self, queue: usize);
}

// SAFETY: the promises, by their numbers. 1: a node is in a queue only while it is armed, and is called only when it was taken out
// of it; `shut` takes it out for good. 2: nothing here calls an entry. 3: all of it happens under the lock of the queue that the node
// belongs to, or on its way from one to another, where it is in none and `arm` begins anew; it does not move while its entry runs, so
// both waits look at the queue that says so, and end only when that says that the entry has returned. 4: that is noted in the queue,
// not in the node, and the queue that a node has left has nothing of it any more; where waiters sleep is up to the monitor.
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
        // SAFETY: memory for a node, says the caller.
        unsafe { node.write(new) };
        Ok(())
    }

    unsafe fn arm(
        &self,
        node: NonNull<QueueNode>,
        at: Instant,
        slack: Option<Duration>,
        how: Arm,
    ) -> Result<(), Error> {
        // SAFETY: (this and the four below) initialised and always used with these timers, says the caller, and the crate shuts it
        // before its memory goes.
        if let Some(queue) = unsafe { arm(self, node, at, slack, how)? } {
            self.alarm(queue);
        }
        Ok(())
    }

    unsafe fn state(&self, node: NonNull<QueueNode>) -> TimerState {
        // SAFETY: see `arm`.
        unsafe { state(self, node) }
    }

    unsafe fn try_cancel(&self, node: NonNull<QueueNode>) -> TryCancel {
        // SAFETY: see `arm`.
        unsafe { try_cancel(self, node) }
    }

    unsafe fn cancel(
        &self,
        node: NonNull<QueueNode>,
        _cx: MaySleep<'_>,
        stalled: &dyn Fn(),
    ) -> bool {
        // SAFETY: see `arm`.
        unsafe { cancel(self, node, stalled) }
    }

    unsafe fn shut(
        &self,
        node: NonNull<QueueNode>,
        _cx: MaySleep<'_>,
        stalled: &dyn Fn(),
    ) -> TimerState {
        // SAFETY: see `arm`.
        unsafe { shut(self, node, stalled) }
    }
}

/// Runs `f` with the queue that the node belongs to, and that queue's number.
///
/// # Safety
/// `node` is valid and always used with this monitor.
unsafe fn locked<M: Monitor, R>(
    monitor: &M,
    node: NonNull<QueueNode>,
    mut f: impl FnMut(usize, &mut Queue<M::Size>) -> R,
) -> R {
    // SAFETY: valid, says the caller; only ever borrowed shared.
    let this = unsafe { node.as_ref() };
    loop {
        let number = this.queue();
        // SAFETY: nodes only ever name what `here` has returned. Each of the functions below keeps the queue in order: see there.
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
    // SAFETY: valid, says the caller; only ever borrowed shared.
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
        // SAFETY: as in `locked`.
        if let Some(result) = unsafe { monitor.wait(number, look, stalled) } {
            return result;
        }
    }
}

/// What came of one attempt to arm.
enum Armed {
    /// It is armed, or need not be. If it is the first of this queue now, the alarm must be set anew.
    Done(Option<usize>),
    /// It was given to the queue that was asked for, and has to be armed there.
    Moved,
}

/// [`Timers::arm`]; the queue whose alarm must be set anew, if its first timer is another now.
///
/// # Errors
/// [`Error::Closed`] for a node that was shut.
///
/// # Safety
/// `node` is valid, always used with this monitor, and stays valid until it was shut and this has returned.
unsafe fn arm(
    monitor: &impl Monitor,
    node: NonNull<QueueNode>,
    at: Instant,
    slack: Option<Duration>,
    how: Arm,
) -> Result<Option<usize>, Error> {
    // It is moved once at most: of two contexts that start it again and again, neither keeps the other from an end.
    // SAFETY: valid, says the caller.
    let mut to = monitor.here(unsafe { node.as_ref() }.mode).ok();
    loop {
        // SAFETY: valid, says the caller, and the closure runs under the lock of its queue.
        let armed = unsafe {
            locked(monitor, node, |number, queue| {
                // Tested under the lock under which `shut` marks it: either this arm comes first and shut disarms it, or it has
                // no effect (promise 3). Again after a move: in between, nobody's lock kept a shut away.
                if QueueNode::look(node, |inner| inner.shut) {
                    return Err(Error::Closed);
                }
                if how == Arm::IfIdle && QueueNode::look(node, |inner| inner.armed) {
                    return Ok(Armed::Done(None));
                }
                if let Some(to) = to.take() {
                    if to != number && queue.may_leave(node) {
                        queue.pass_on(node, to);
                        return Ok(Armed::Moved);
                    }
                }
                queue.disarm(node);
                let due = QueueNode::look(node, |inner| {
                    inner.set_expires(at, slack);
                    (inner.cancelling == 0).then_some(Instant::from_nanos(inner.link.at))
                });
                let Some(due) = due else {
                    // As if this arm had come just before that cancel, which undoes it. Else a callback that restarts itself at
                    // once would be taken out again before the waiter gets the lock, each time, and the cancel never end.
                    return Ok(Armed::Done(None));
                };
                let nearest = queue.next_expiry();
                queue.insert(node);
                let is_first = nearest.is_none_or(|nearest| due < nearest);
                Ok(Armed::Done(
                    (is_first && !queue.is_busy()).then_some(number),
                ))
            })?
        };
        if let Armed::Done(alarm) = armed {
            return Ok(alarm);
        }
    }
}

/// [`Timers::state`].
///
/// # Safety
/// As for [`arm`].
unsafe fn state(monitor: &impl Monitor, node: NonNull<QueueNode>) -> TimerState {
    // SAFETY: valid, says the caller, and the closure runs under the lock of its queue.
    unsafe {
        locked(monitor, node, |_, queue| {
            let running = queue.is_running(node);
            QueueNode::look(node, |inner| TimerState {
                armed: inner.armed,
                running,
                expires: inner.expires(),
            })
        })
    }
}

/// [`Timers::try_cancel`].
///
/// # Safety
/// As for [`arm`].
unsafe fn try_cancel(monitor: &impl Monitor, node: NonNull<QueueNode>) -> TryCancel {
    // SAFETY: valid, says the caller, and the closure runs under the lock of its queue.
    unsafe {
        locked(monitor, node, |_, queue| {
            let armed = queue.disarm(node);
            match (queue.is_running(node), armed) {
                (true, _) => TryCancel::Running,
                (false, true) => TryCancel::Cancelled,
                (false, false) => TryCancel::Idle,
            }
        })
    }
}

/// [`Timers::cancel`].
///
/// # Safety
/// As for [`arm`]. (Called inside an entry of the node, it does not return.)
unsafe fn cancel(monitor: &impl Monitor, node: NonNull<QueueNode>, stalled: &dyn Fn()) -> bool {
    let mut active = None;
    let attempt = |queue: &mut Queue<_>| {
        let running = queue.is_running(node);
        // SAFETY: valid, says the caller, and under the lock of its queue.
        unsafe {
            let active = *active.get_or_insert_with(|| {
                let armed = queue.disarm(node);
                // From here on `arm` has no effect, until this is over; so one disarm is enough.
                QueueNode::look(node, |inner| inner.cancelling += 1);
                armed || running
            });
            if running {
                return None;
            }
            QueueNode::look(node, |inner| inner.cancelling -= 1);
            Some(active)
        }
    };
    // SAFETY: the caller's promise.
    unsafe { waited(monitor, node, attempt, stalled) }
}

/// [`Timers::shut`].
///
/// # Safety
/// As for [`arm`]. (Called inside an entry of the node, it does not return.)
unsafe fn shut(monitor: &impl Monitor, node: NonNull<QueueNode>, stalled: &dyn Fn()) -> TimerState {
    let mut found = None;
    let attempt = |queue: &mut Queue<_>| {
        let running = queue.is_running(node);
        // SAFETY: valid, says the caller, and under the lock of its queue.
        unsafe {
            if found.is_none() {
                let expires = QueueNode::look(node, |inner| inner.expires());
                let armed = queue.disarm(node);
                found = Some(TimerState {
                    armed,
                    running,
                    expires,
                });
                // From here on `arm` has no effect, so one disarm is enough, and the node stays in this queue.
                QueueNode::look(node, |inner| inner.shut = true);
            }
        }
        if running {
            None
        } else {
            found
        }
    };
    // SAFETY: the caller's promise.
    unsafe { waited(monitor, node, attempt, stalled) }
}
