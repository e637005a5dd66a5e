//! Timers for platforms that have only a clock and an alarm: `Host`, `Sim`, bare metal.
//!
//! A [`Queue`] is a list of nodes in order of expiry, and knows which node's entry is running. It is plain data; the platform
//! puts it behind a lock of its own, its [`Monitor`], which thereby has
//! [`Timers`](crate::platform::Timers).
//!
//! No node is touched after its entry has returned: that an entry is running is noted in the queue, which outlives
//! every node, and not in the node (promise 4 of [`Timers`](crate::platform::Timers)).

use core::fmt;
use core::ptr::{self, NonNull};

use crate::platform::TimerEntry;
use crate::sync::UnsafeCell;
use crate::time::Instant;

mod monitor;

pub use monitor::Monitor;

/// A timer of a [`Queue`], the [`Node`](crate::platform::Timers::Node) of a monitor's timers.
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
    /// A node, not armed.
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

// SAFETY: an entry may be called from any context (`Timers::init`).
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
