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
#[cfg(all(test, not(loom)))]
mod tests;
mod wheel;

pub use monitor::Monitor;
pub use wheel::{Large, Medium, Size, Small};

use wheel::{First, Wheel};

/// A timer of a [`Queue`], the [`Node`](crate::platform::Timers::Node) of a monitor's timers.
pub struct QueueNode {
    /// Accessed under the queue's lock only.
    inner: UnsafeCell<Inner>,
}

struct Inner {
    link: Link,
    /// In the wheel.
    armed: bool,
    shut: bool,
    /// Whether `link.at` is the instant that it was last armed for.
    started: bool,
    /// How many calls of `cancel` wait for its entry to end.
    cancelling: u32,
    entry: TimerEntry,
    context: *const (),
}

/// What the wheel keeps in a node.
struct Link {
    next: *mut QueueNode,
    prev: *mut QueueNode,
    /// The instant that the node is armed for.
    at: u64,
    /// Where in the wheel it lies.
    place: u16,
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
                link: Link {
                    next: ptr::null_mut(),
                    prev: ptr::null_mut(),
                    at: 0,
                    place: 0,
                },
                armed: false,
                shut: false,
                started: false,
                cancelling: 0,
                entry,
                context,
            }),
        }
    }

    /// Looks into a node.
    ///
    /// # Safety
    /// The node is valid, and the lock of the queue that it belongs to is held (a borrow of the queue, or of its wheel, proves it).
    #[inline(always)]
    unsafe fn look<R>(node: NonNull<QueueNode>, f: impl FnOnce(&mut Inner) -> R) -> R {
        // SAFETY: valid, and under the lock nobody else is in it; `f` does not come back here for the same node.
        unsafe { node.as_ref().inner.with_mut(|inner| f(&mut *inner)) }
    }

    /// Looks at what the wheel keeps in a node.
    ///
    /// # Safety
    /// As for [`look`](Self::look).
    #[inline(always)]
    unsafe fn link<R>(node: NonNull<QueueNode>, f: impl FnOnce(&mut Link) -> R) -> R {
        // SAFETY: the caller's promise.
        unsafe { Self::look(node, |inner| f(&mut inner.link)) }
    }
}

impl Inner {
    fn expires(&self) -> Option<Instant> {
        self.started.then_some(Instant::from_nanos(self.link.at))
    }
}

/// Timers in order of expiry, equal ones in the order in which they were started. Starting and cancelling take constant time (but that a timer which is started
/// for before the expiry of the last that was taken out has to find its place among others of that kind).
pub struct Queue<S: Size = Large> {
    wheel: Wheel<S>,
    /// The node whose entry is being called, perhaps dangling: it is compared, never followed.
    running: *const QueueNode,
}

// SAFETY: the nodes that it points to are `Sync` and are accessed under the lock that holds the queue.
unsafe impl<S: Size> Send for Queue<S> {}

impl<S: Size> fmt::Debug for Queue<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue")
            .field("empty", &self.wheel.is_empty())
            .field("running", &!self.running.is_null())
            .finish()
    }
}

impl<S: Size> Default for Queue<S> {
    fn default() -> Self {
        Self::new()
    }
}

/// What there is to do in a queue at a given instant.
#[derive(Debug)]
pub enum Due {
    /// Call this, without the lock, then [`Queue::finished`].
    Call(Call),
    /// Nothing before this instant. (Perhaps not at it either: then there is more to be told at that time.)
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

impl<S: Size> Queue<S> {
    /// An empty queue.
    #[must_use]
    pub const fn new() -> Self {
        Queue {
            wheel: Wheel::new(),
            running: ptr::null(),
        }
    }

    /// Takes out the first timer that is due at `now`, and notes it as running.
    ///
    /// # Panics
    /// If the last one taken out has not been [`finished`](Queue::finished): a queue runs one entry at a time.
    pub fn take_due(&mut self, now: Instant) -> Due {
        assert!(self.running.is_null(), "a queue runs one entry at a time");
        match self.wheel.first(now.as_nanos()) {
            First::None => Due::Never,
            First::NotBefore(at) => Due::At(Instant::from_nanos(at)),
            First::Node(node) => {
                // SAFETY: nodes in the queue are valid: shutting a node takes it out.
                let call = unsafe {
                    self.wheel.remove(node);
                    QueueNode::look(node, |inner| {
                        inner.armed = false;
                        Call {
                            entry: inner.entry,
                            context: inner.context,
                            expires: Instant::from_nanos(inner.link.at),
                        }
                    })
                };
                self.running = node.as_ptr();
                Due::Call(call)
            }
        }
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

    /// When there may be something to do: nothing expires before.
    #[must_use]
    pub fn next_expiry(&self) -> Option<Instant> {
        self.wheel.earliest().map(Instant::from_nanos)
    }

    /// # Safety
    /// The node is valid and not armed, and stays valid until it is disarmed.
    unsafe fn insert(&mut self, node: NonNull<QueueNode>, at: Instant) {
        // SAFETY: the caller's promise.
        unsafe {
            QueueNode::look(node, |inner| {
                inner.armed = true;
                inner.started = true;
                inner.link.at = at.as_nanos();
            });
            self.wheel.insert(node, at.as_nanos());
        }
    }

    /// # Safety
    /// The node is valid.
    unsafe fn disarm(&mut self, node: NonNull<QueueNode>) -> bool {
        // SAFETY: valid, says the caller; armed means in this queue.
        unsafe {
            let armed = QueueNode::look(node, |inner| core::mem::take(&mut inner.armed));
            if armed {
                self.wheel.remove(node);
            }
            armed
        }
    }

    fn is_running(&self, node: NonNull<QueueNode>) -> bool {
        ptr::eq(self.running, node.as_ptr())
    }
}
