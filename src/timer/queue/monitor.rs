//! A queue behind a platform's lock, and the timers that come of it.

use core::ptr::NonNull;

use crate::context::MaySleep;
use crate::error::Error;
use crate::platform::{Arm, TimerEntry, TimerState, Timers, TryCancel};
use crate::time::Instant;
use crate::timer::queue::{Queue, QueueNode, Size};

/// A platform's lock around its queue, with a way to wait for entries to end.
///
/// # Safety
/// `with` and `wait` run their closure with exclusive access to one and the same queue, which no entry that is called from
/// it can be inside; what was done under the lock happens before the next closure runs under it. After a `Call` came out of
/// the queue it is made, and then `finished` is called and all waiters are woken.
pub unsafe trait Monitor {
    /// The size of its queue.
    type Size: Size;

    /// Runs `f` with the queue.
    ///
    /// # Safety
    /// For this module and the platform's own alarm, which keep the queue in order: whoever takes a node out of it, or says that
    /// an entry has ended, decides what may be freed.
    unsafe fn with<R>(&self, f: impl FnOnce(&mut Queue<Self::Size>) -> R) -> R;

    /// Runs `f` with the queue until it returns something; between two tries, waits until an entry has ended. Calls
    /// `stalled`, which does not unwind, about every second, without the lock.
    ///
    /// # Safety
    /// As for [`with`](Monitor::with).
    unsafe fn wait<R>(
        &self,
        f: impl FnMut(&mut Queue<Self::Size>) -> Option<R>,
        stalled: &dyn Fn(),
    ) -> R;

    /// Is told, without the lock, that the first expiry has come nearer: the alarm must be set anew.
    fn alarm(&self);
}

// SAFETY: the promises, by their numbers. 1: a node is in the queue only while it is armed, and is called only when it was taken out
// of it; `shut` takes it out for good. 2: nothing here calls an entry. 3: all of it happens under the monitor's lock, and both waits
// end only when the queue says that the node's entry has returned. 4: that is noted in the queue, not in the node; where waiters
// sleep is up to the monitor.
unsafe impl<M: Monitor + Sync> Timers for M {
    type Node = QueueNode;

    unsafe fn init(
        &self,
        node: *mut QueueNode,
        entry: TimerEntry,
        context: *const (),
    ) -> Result<(), Error> {
        // SAFETY: memory for a node, says the caller.
        unsafe { node.write(QueueNode::new(entry, context)) };
        Ok(())
    }

    unsafe fn arm(&self, node: NonNull<QueueNode>, at: Instant, how: Arm) -> Result<(), Error> {
        // SAFETY: (this and the four below) initialised and always used with these timers, says the caller, and the crate shuts it
        // before its memory goes.
        if unsafe { arm(self, node, at, how)? } {
            self.alarm();
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

/// The queue of a monitor, to one of the functions below.
fn locked<M: Monitor, R>(monitor: &M, f: impl FnOnce(&mut Queue<M::Size>) -> R) -> R {
    // SAFETY: each of the functions below keeps the queue in order: see there.
    unsafe { monitor.with(f) }
}

/// The same, until `f` returns something.
fn waited<M: Monitor, R>(
    monitor: &M,
    f: impl FnMut(&mut Queue<M::Size>) -> Option<R>,
    stalled: &dyn Fn(),
) -> R {
    // SAFETY: as above.
    unsafe { monitor.wait(f, stalled) }
}

/// [`Timers::arm`]; `Ok(true)` if the timer is now the first, so that the alarm must be set anew.
///
/// # Errors
/// [`Error::Closed`] for a node that was shut.
///
/// # Safety
/// `node` is valid, always used with this queue, and stays valid until it was shut.
unsafe fn arm(
    monitor: &impl Monitor,
    node: NonNull<QueueNode>,
    at: Instant,
    how: Arm,
) -> Result<bool, Error> {
    locked(monitor, |queue| {
        // SAFETY: valid, says the caller, and under the lock.
        unsafe {
            // Tested under the lock under which `shut` marks it: either this arm comes first and shut disarms it, or it has
            // no effect (promise 3).
            if QueueNode::look(node, |inner| inner.shut) {
                return Err(Error::Closed);
            }
            if how == Arm::IfIdle && QueueNode::look(node, |inner| inner.armed) {
                return Ok(false);
            }
            queue.disarm(node);
            if QueueNode::look(node, |inner| inner.cancelling > 0) {
                // As if this arm had come just before that cancel, which undoes it. Else a callback that restarts itself at
                // once would be taken out again before the waiter gets the lock, each time, and the cancel never end.
                QueueNode::look(node, |inner| {
                    (inner.started, inner.link.at) = (true, at.as_nanos())
                });
                return Ok(false);
            }
            let nearest = queue.next_expiry();
            queue.insert(node, at);
            Ok(nearest.is_none_or(|nearest| at < nearest))
        }
    })
}

/// [`Timers::state`].
///
/// # Safety
/// As for [`arm`].
unsafe fn state(monitor: &impl Monitor, node: NonNull<QueueNode>) -> TimerState {
    locked(monitor, |queue| {
        let running = queue.is_running(node);
        // SAFETY: valid, says the caller, and under the lock.
        unsafe {
            QueueNode::look(node, |inner| TimerState {
                armed: inner.armed,
                running,
                expires: inner.expires(),
            })
        }
    })
}

/// [`Timers::try_cancel`].
///
/// # Safety
/// As for [`arm`].
unsafe fn try_cancel(monitor: &impl Monitor, node: NonNull<QueueNode>) -> TryCancel {
    locked(monitor, |queue| {
        // SAFETY: valid, says the caller, and under the lock.
        let armed = unsafe { queue.disarm(node) };
        match (queue.is_running(node), armed) {
            (true, _) => TryCancel::Running,
            (false, true) => TryCancel::Cancelled,
            (false, false) => TryCancel::Idle,
        }
    })
}

/// [`Timers::cancel`].
///
/// # Safety
/// As for [`arm`]. (Called inside an entry of the node, it does not return.)
unsafe fn cancel(monitor: &impl Monitor, node: NonNull<QueueNode>, stalled: &dyn Fn()) -> bool {
    let mut active = None;
    waited(
        monitor,
        |queue| {
            let running = queue.is_running(node);
            // SAFETY: valid, says the caller, and under the lock.
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
        },
        stalled,
    )
}

/// [`Timers::shut`].
///
/// # Safety
/// As for [`arm`]. (Called inside an entry of the node, it does not return.)
unsafe fn shut(monitor: &impl Monitor, node: NonNull<QueueNode>, stalled: &dyn Fn()) -> TimerState {
    let mut found = None;
    waited(
        monitor,
        |queue| {
            let running = queue.is_running(node);
            // SAFETY: valid, says the caller, and under the lock.
            unsafe {
                if found.is_none() {
                    let expires = QueueNode::look(node, |inner| inner.expires());
                    let armed = queue.disarm(node);
                    found = Some(TimerState {
                        armed,
                        running,
                        expires,
                    });
                    // From here on `arm` has no effect, so one disarm is enough.
                    QueueNode::look(node, |inner| inner.shut = true);
                }
            }
            if running {
                None
            } else {
                found
            }
        },
        stalled,
    )
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::timer::queue::{Due, Small};
    use core::cell::RefCell;
    use std::vec::Vec;

    unsafe extern "C" fn nothing(_context: *const (), _expires: Instant) {}

    struct Local(RefCell<Queue<Small>>);
    // SAFETY: single-threaded, and nothing here re-enters.
    unsafe impl Monitor for Local {
        type Size = Small;
        unsafe fn with<R>(&self, f: impl FnOnce(&mut Queue<Self::Size>) -> R) -> R {
            f(&mut self.0.borrow_mut())
        }
        unsafe fn wait<R>(
            &self,
            mut f: impl FnMut(&mut Queue<Self::Size>) -> Option<R>,
            _stalled: &dyn Fn(),
        ) -> R {
            locked(self, &mut f).expect("nothing to wait for in a single thread")
        }
        fn alarm(&self) {}
    }

    fn nodes(n: usize) -> Vec<QueueNode> {
        (0..n)
            .map(|i| QueueNode::new(nothing, i as *const ()))
            .collect()
    }

    fn drain(queue: &Local) -> Vec<(usize, u64)> {
        let mut seen = Vec::new();
        while let Due::Call(call) = locked(queue, |queue| queue.take_due(Instant::MAX)) {
            seen.push((call.context as usize, call.expires.as_nanos()));
            locked(queue, Queue::finished);
        }
        seen
    }

    #[test]
    fn expiry_is_in_order_and_ties_in_order_of_start() {
        let queue = Local(RefCell::new(Queue::new()));
        let nodes = nodes(6);
        for (i, at) in [(0, 50), (1, 10), (2, 50), (3, 0), (4, u64::MAX), (5, 10)] {
            let node = NonNull::from(&nodes[i]);
            // SAFETY: the nodes outlive the queue's use.
            let first = unsafe { arm(&queue, node, Instant::from_nanos(at), Arm::Replace) };
            assert_eq!(first, Ok(matches!(i, 0 | 1 | 3)));
        }
        // SAFETY: as above.
        unsafe {
            assert_eq!(
                try_cancel(&queue, NonNull::from(&nodes[1])),
                TryCancel::Cancelled
            );
            assert_eq!(
                try_cancel(&queue, NonNull::from(&nodes[1])),
                TryCancel::Idle
            );
        }
        assert_eq!(
            drain(&queue),
            [(3, 0), (5, 10), (0, 50), (2, 50), (4, u64::MAX)]
        );
    }

    #[test]
    fn arming_again_replaces_or_leaves() {
        let queue = Local(RefCell::new(Queue::new()));
        let nodes = nodes(1);
        let node = NonNull::from(&nodes[0]);
        // SAFETY: the node outlives the queue's use.
        unsafe {
            let at = Instant::from_nanos;
            arm(&queue, node, at(50), Arm::IfIdle).unwrap();
            arm(&queue, node, at(10), Arm::IfIdle).unwrap();
            assert_eq!(state(&queue, node).expires, Some(at(50)));
            arm(&queue, node, at(20), Arm::Replace).unwrap();
            assert_eq!(drain(&queue), [(0, 20)]);
            arm(&queue, node, at(30), Arm::Replace).unwrap();
            assert!(shut(&queue, node, &|| {}).armed);
            assert_eq!(arm(&queue, node, at(40), Arm::Replace), Err(Error::Closed));
        }
        assert_eq!(drain(&queue), []);
    }

    /// A queue whose waiters go on one at a time: each wait runs its closure, lets the rest of the world do one thing, and runs it
    /// again.
    struct Steps<'a> {
        queue: RefCell<Queue<Small>>,
        /// What happens during each wait; the last is done first.
        meanwhile: RefCell<Vec<Step<'a>>>,
    }
    type Step<'a> = &'a dyn Fn(&Steps<'a>);

    // SAFETY: single-threaded; the queue is borrowed for a closure at a time.
    unsafe impl Monitor for Steps<'_> {
        type Size = Small;
        unsafe fn with<R>(&self, f: impl FnOnce(&mut Queue<Self::Size>) -> R) -> R {
            f(&mut self.queue.borrow_mut())
        }
        unsafe fn wait<R>(
            &self,
            mut f: impl FnMut(&mut Queue<Self::Size>) -> Option<R>,
            _stalled: &dyn Fn(),
        ) -> R {
            loop {
                if let Some(result) = locked(self, &mut f) {
                    return result;
                }
                let next = self.meanwhile.borrow_mut().pop();
                next.expect("something to wait for")(self);
            }
        }
        fn alarm(&self) {}
    }

    #[test]
    fn a_start_while_two_cancel_is_undone_until_both_are_done() {
        let nodes = nodes(1);
        let node = NonNull::from(&nodes[0]);
        let at = Instant::from_nanos;
        // The first cancel waits; meanwhile a second begins, and waits; then the entry ends, which the second sees first.
        let finish = |queue: &Steps<'_>| locked(queue, Queue::finished);
        let cancel_and_start = |queue: &Steps<'_>| {
            // SAFETY: the node outlives the queue's use.
            unsafe {
                assert!(cancel(queue, node, &|| {}));
                arm(queue, node, at(20), Arm::Replace).unwrap();
                assert!(!state(queue, node).armed);
            }
        };
        let queue = Steps {
            queue: RefCell::new(Queue::new()),
            meanwhile: RefCell::new(Vec::from([&finish as Step<'_>, &cancel_and_start])),
        };
        // SAFETY: as above.
        unsafe {
            arm(&queue, node, at(10), Arm::Replace).unwrap();
            let due = locked(&queue, |queue| queue.take_due(at(10)));
            assert!(matches!(due, Due::Call(_)));
            assert!(cancel(&queue, node, &|| {}));
            assert!(!state(&queue, node).armed);
            arm(&queue, node, at(30), Arm::Replace).unwrap();
            assert!(state(&queue, node).armed);
        }
    }
}
