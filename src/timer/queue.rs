//! Timers for platforms that have only a clock and an alarm: `Host`, `Sim`, bare metal.
//!
//! A [`Queue`] is a list of nodes in order of expiry, and knows which node's entry is running. It is plain data; the platform
//! puts it behind a lock of its own, its [`Monitor`], and forwards the timer methods of
//! [`Platform`](crate::platform::Platform) to the functions here.
//!
//! No node is touched after its entry has returned: that an entry is running is noted in the queue, which outlives
//! every node, and not in the node (promise 4 of the platform).

use core::fmt;
use core::ptr::{self, NonNull};

use crate::error::Error;
use crate::platform::{Arm, TimerEntry, TimerState, TryCancel};
use crate::sync::UnsafeCell;
use crate::time::Instant;

/// A timer of a [`Queue`], to be the platform's [`Timer`](crate::platform::Platform::Timer).
pub struct QueueNode {
    /// Accessed under the queue's lock only.
    inner: UnsafeCell<Inner>,
}

struct Inner {
    next: *mut QueueNode,
    prev: *mut QueueNode,
    armed: bool,
    shut: bool,
    /// How many calls of `cancel` wait for its entry to end.
    cancelling: usize,
    expires: Option<Instant>,
    entry: TimerEntry,
    context: *const (),
}

// SAFETY: all of a node's state is accessed under the lock of its queue; `context` is only handed to `entry`, which may be
// called from any context.
unsafe impl Send for QueueNode {}
// SAFETY: as above.
unsafe impl Sync for QueueNode {}

impl fmt::Debug for QueueNode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Its state may be looked at under the queue's lock only.
        f.write_str("QueueNode")
    }
}

impl QueueNode {
    /// A node, not armed. For [`timer_init`](crate::platform::Platform::timer_init).
    #[must_use]
    pub fn new(entry: TimerEntry, context: *const ()) -> Self {
        QueueNode {
            inner: UnsafeCell::new(Inner {
                next: ptr::null_mut(),
                prev: ptr::null_mut(),
                armed: false,
                shut: false,
                cancelling: 0,
                expires: None,
                entry,
                context,
            }),
        }
    }
}

/// Timers in order of expiry, equal ones in the order in which they were started.
pub struct Queue {
    first: *mut QueueNode,
    last: *mut QueueNode,
    /// The node whose entry is being called, perhaps dangling: it is compared, never followed.
    running: *const QueueNode,
}

// SAFETY: the nodes that it points to are `Sync` and are accessed under the lock that holds the queue.
unsafe impl Send for Queue {}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue")
            .field("empty", &self.first.is_null())
            .field("running", &!self.running.is_null())
            .finish()
    }
}

impl Default for Queue {
    fn default() -> Self {
        Self::new()
    }
}

/// What there is to do in a queue at a given instant.
#[derive(Debug)]
pub enum Due {
    /// Call this, without the lock, then [`Queue::finished`].
    Call(Call),
    /// Nothing before this instant.
    At(Instant),
    /// Nothing at all.
    Never,
}

/// The call of a timer's entry.
#[derive(Debug)]
pub struct Call {
    entry: TimerEntry,
    context: *const (),
    expires: Instant,
}

// SAFETY: an entry may be called from any context (`timer_init`).
unsafe impl Send for Call {}

impl Call {
    /// Calls the entry.
    ///
    /// # Safety
    /// This call came from [`Queue::take_due`], [`Queue::finished`] has not been called since, and no lock is held.
    pub unsafe fn make(self) {
        // SAFETY: `take_due` found the node armed, so it was not shut, and since the queue says that it is running, its shut
        // does not return before `finished`.
        unsafe { (self.entry)(self.context, self.expires) }
    }

    /// The instant that the timer was armed for.
    #[must_use]
    pub fn expires(&self) -> Instant {
        self.expires
    }
}

impl Queue {
    /// An empty queue.
    #[must_use]
    pub const fn new() -> Self {
        Queue {
            first: ptr::null_mut(),
            last: ptr::null_mut(),
            running: ptr::null(),
        }
    }

    /// Takes out the first timer that is due at `now`, and notes it as running.
    ///
    /// # Panics
    /// If the last one taken out has not been [`finished`](Queue::finished): a queue runs one entry at a time.
    pub fn take_due(&mut self, now: Instant) -> Due {
        assert!(self.running.is_null(), "a queue runs one entry at a time");
        let Some(node) = NonNull::new(self.first) else {
            return Due::Never;
        };
        // SAFETY: nodes in the queue are valid: shutting a node takes it out.
        let (expires, entry, context) =
            unsafe { Self::look(node, |inner| (inner.expires, inner.entry, inner.context)) };
        let expires = expires.unwrap_or_default();
        if expires > now {
            return Due::At(expires);
        }
        // SAFETY: as above.
        unsafe { self.remove(node) };
        self.running = node.as_ptr();
        Due::Call(Call {
            entry,
            context,
            expires,
        })
    }

    /// Notes that the entry taken out last has returned. Its node is not touched, and may be gone as soon as the lock is.
    pub fn finished(&mut self) {
        self.running = ptr::null();
    }

    /// Whether an entry that was taken out has not yet been [`finished`](Queue::finished).
    #[must_use]
    pub fn is_busy(&self) -> bool {
        !self.running.is_null()
    }

    /// The first expiry.
    #[must_use]
    pub fn next_expiry(&self) -> Option<Instant> {
        let node = NonNull::new(self.first)?;
        // SAFETY: nodes in the queue are valid.
        unsafe { Self::look(node, |inner| inner.expires) }
    }

    /// Looks into a node.
    ///
    /// # Safety
    /// The node is valid, and the lock of the queue that it belongs to is held (a borrow of the queue proves it).
    unsafe fn look<R>(node: NonNull<QueueNode>, f: impl FnOnce(&mut Inner) -> R) -> R {
        // SAFETY: valid, and under the lock nobody else is in it; `f` does not come back here for the same node.
        unsafe { node.as_ref().inner.with_mut(|inner| f(&mut *inner)) }
    }

    /// # Safety
    /// The node is valid and armed, in this queue.
    unsafe fn remove(&mut self, node: NonNull<QueueNode>) {
        // SAFETY: valid; so are its neighbours, being in the queue.
        unsafe {
            let (prev, next) = Self::look(node, |inner| {
                inner.armed = false;
                (inner.prev, inner.next)
            });
            match NonNull::new(prev) {
                Some(prev) => Self::look(prev, |inner| inner.next = next),
                None => self.first = next,
            }
            match NonNull::new(next) {
                Some(next) => Self::look(next, |inner| inner.prev = prev),
                None => self.last = prev,
            }
        }
    }

    /// # Safety
    /// The node is valid and not armed, and stays valid until it is disarmed.
    unsafe fn insert(&mut self, node: NonNull<QueueNode>, at: Instant) {
        // From the back: most timers are started for later than those that wait already.
        let mut prev = self.last;
        while let Some(other) = NonNull::new(prev) {
            // SAFETY: nodes in the queue are valid.
            let (expires, before) =
                unsafe { Self::look(other, |inner| (inner.expires, inner.prev)) };
            if expires <= Some(at) {
                break;
            }
            prev = before;
        }
        // SAFETY: all valid, as above.
        unsafe {
            let next = match NonNull::new(prev) {
                Some(prev) => Self::look(prev, |inner| {
                    core::mem::replace(&mut inner.next, node.as_ptr())
                }),
                None => core::mem::replace(&mut self.first, node.as_ptr()),
            };
            match NonNull::new(next) {
                Some(next) => Self::look(next, |inner| inner.prev = node.as_ptr()),
                None => self.last = node.as_ptr(),
            }
            Self::look(node, |inner| {
                inner.armed = true;
                inner.expires = Some(at);
                inner.prev = prev;
                inner.next = next;
            });
        }
    }

    /// # Safety
    /// The node is valid.
    unsafe fn disarm(&mut self, node: NonNull<QueueNode>) -> bool {
        // SAFETY: valid, says the caller; armed means in this queue.
        unsafe {
            let armed = Self::look(node, |inner| inner.armed);
            if armed {
                self.remove(node);
            }
            armed
        }
    }

    fn is_running(&self, node: NonNull<QueueNode>) -> bool {
        ptr::eq(self.running, node.as_ptr())
    }
}

/// A platform's lock around its queue, with a way to wait for entries to end.
///
/// # Safety
/// `with` and `wait` run their closure with exclusive access to one and the same queue, which no entry that is called from
/// it can be inside; what was done under the lock happens before the next closure runs under it. After a `Call` came out of
/// the queue it is made, and then `finished` is called and all waiters are woken.
pub unsafe trait Monitor {
    /// Runs `f` with the queue.
    fn with<R>(&self, f: impl FnOnce(&mut Queue) -> R) -> R;

    /// Runs `f` with the queue until it returns something; between two tries, waits until an entry has ended. Calls
    /// `stalled`, which does not unwind, about every second, without the lock.
    fn wait<R>(&self, f: impl FnMut(&mut Queue) -> Option<R>, stalled: &dyn Fn()) -> R;
}

/// [`Platform::timer_arm`](crate::platform::Platform::timer_arm); `Ok(true)` if the timer is now the first, so that the alarm must be set anew.
///
/// # Errors
/// [`Error::Closed`] for a node that was shut.
///
/// # Safety
/// `node` is valid, always used with this queue, and stays valid until it was shut.
pub unsafe fn arm(
    monitor: &impl Monitor,
    node: NonNull<QueueNode>,
    at: Instant,
    how: Arm,
) -> Result<bool, Error> {
    monitor.with(|queue| {
        // SAFETY: valid, says the caller, and under the lock.
        unsafe {
            // Tested under the lock under which `shut` marks it: either this arm comes first and shut disarms it, or it has
            // no effect (promise 3).
            if Queue::look(node, |inner| inner.shut) {
                return Err(Error::Closed);
            }
            if how == Arm::IfIdle && Queue::look(node, |inner| inner.armed) {
                return Ok(false);
            }
            queue.disarm(node);
            if Queue::look(node, |inner| inner.cancelling > 0) {
                // As if this arm had come just before that cancel, which undoes it. Else a callback that restarts itself at
                // once would be taken out again before the waiter gets the lock, each time, and the cancel never end.
                Queue::look(node, |inner| inner.expires = Some(at));
                return Ok(false);
            }
            queue.insert(node, at);
            Ok(ptr::eq(queue.first, node.as_ptr()))
        }
    })
}

/// [`Platform::timer_state`](crate::platform::Platform::timer_state).
///
/// # Safety
/// As for [`arm`].
pub unsafe fn state(monitor: &impl Monitor, node: NonNull<QueueNode>) -> TimerState {
    monitor.with(|queue| {
        let running = queue.is_running(node);
        // SAFETY: valid, says the caller, and under the lock.
        unsafe {
            Queue::look(node, |inner| TimerState {
                armed: inner.armed,
                running,
                expires: inner.expires,
            })
        }
    })
}

/// [`Platform::timer_try_cancel`](crate::platform::Platform::timer_try_cancel).
///
/// # Safety
/// As for [`arm`].
pub unsafe fn try_cancel(monitor: &impl Monitor, node: NonNull<QueueNode>) -> TryCancel {
    monitor.with(|queue| {
        // SAFETY: valid, says the caller, and under the lock.
        let armed = unsafe { queue.disarm(node) };
        match (queue.is_running(node), armed) {
            (true, _) => TryCancel::Running,
            (false, true) => TryCancel::Cancelled,
            (false, false) => TryCancel::Idle,
        }
    })
}

/// [`Platform::timer_cancel`](crate::platform::Platform::timer_cancel).
///
/// # Safety
/// As for [`arm`]. (Called inside an entry of the node, it does not return.)
pub unsafe fn cancel(monitor: &impl Monitor, node: NonNull<QueueNode>, stalled: &dyn Fn()) -> bool {
    let mut active = None;
    monitor.wait(
        |queue| {
            let running = queue.is_running(node);
            // SAFETY: valid, says the caller, and under the lock.
            unsafe {
                let active = *active.get_or_insert_with(|| {
                    let armed = queue.disarm(node);
                    // From here on `arm` has no effect, until this is over; so one disarm is enough.
                    Queue::look(node, |inner| inner.cancelling += 1);
                    armed || running
                });
                if running {
                    return None;
                }
                Queue::look(node, |inner| inner.cancelling -= 1);
                Some(active)
            }
        },
        stalled,
    )
}

/// [`Platform::timer_shut`](crate::platform::Platform::timer_shut).
///
/// # Safety
/// As for [`arm`]. (Called inside an entry of the node, it does not return.)
pub unsafe fn shut(
    monitor: &impl Monitor,
    node: NonNull<QueueNode>,
    stalled: &dyn Fn(),
) -> TimerState {
    let mut found = None;
    monitor.wait(
        |queue| {
            let running = queue.is_running(node);
            // SAFETY: valid, says the caller, and under the lock.
            unsafe {
                if found.is_none() {
                    let expires = Queue::look(node, |inner| inner.expires);
                    let armed = queue.disarm(node);
                    found = Some(TimerState {
                        armed,
                        running,
                        expires,
                    });
                    // From here on `arm` has no effect, so one disarm is enough.
                    Queue::look(node, |inner| inner.shut = true);
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
    use core::cell::RefCell;
    use std::vec::Vec;

    unsafe extern "C" fn nothing(_context: *const (), _expires: Instant) {}

    struct Local(RefCell<Queue>);
    // SAFETY: single-threaded, and nothing here re-enters.
    unsafe impl Monitor for Local {
        fn with<R>(&self, f: impl FnOnce(&mut Queue) -> R) -> R {
            f(&mut self.0.borrow_mut())
        }
        fn wait<R>(&self, mut f: impl FnMut(&mut Queue) -> Option<R>, _stalled: &dyn Fn()) -> R {
            self.with(&mut f)
                .expect("nothing to wait for in a single thread")
        }
    }

    fn nodes(n: usize) -> Vec<QueueNode> {
        (0..n)
            .map(|i| QueueNode::new(nothing, i as *const ()))
            .collect()
    }

    fn drain(queue: &Local) -> Vec<(usize, u64)> {
        let mut seen = Vec::new();
        while let Due::Call(call) = queue.with(|queue| queue.take_due(Instant::MAX)) {
            seen.push((call.context as usize, call.expires.as_nanos()));
            queue.with(Queue::finished);
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
        queue: RefCell<Queue>,
        /// What happens during each wait; the last is done first.
        meanwhile: RefCell<Vec<Step<'a>>>,
    }
    type Step<'a> = &'a dyn Fn(&Steps<'a>);

    // SAFETY: single-threaded; the queue is borrowed for a closure at a time.
    unsafe impl Monitor for Steps<'_> {
        fn with<R>(&self, f: impl FnOnce(&mut Queue) -> R) -> R {
            f(&mut self.queue.borrow_mut())
        }
        fn wait<R>(&self, mut f: impl FnMut(&mut Queue) -> Option<R>, _stalled: &dyn Fn()) -> R {
            loop {
                if let Some(result) = self.with(&mut f) {
                    return result;
                }
                let next = self.meanwhile.borrow_mut().pop();
                next.expect("something to wait for")(self);
            }
        }
    }

    #[test]
    fn a_start_while_two_cancel_is_undone_until_both_are_done() {
        let nodes = nodes(1);
        let node = NonNull::from(&nodes[0]);
        let at = Instant::from_nanos;
        // The first cancel waits; meanwhile a second begins, and waits; then the entry ends, which the second sees first.
        let finish = |queue: &Steps<'_>| queue.with(Queue::finished);
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
            let due = queue.with(|queue| queue.take_due(at(10)));
            assert!(matches!(due, Due::Call(_)));
            assert!(cancel(&queue, node, &|| {}));
            assert!(!state(&queue, node).armed);
            arm(&queue, node, at(30), Arm::Replace).unwrap();
            assert!(state(&queue, node).armed);
        }
    }
}
