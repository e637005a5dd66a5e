//! Timers for platforms that have only a clock and an alarm: `Host`, `Sim`, bare metal.
//!
//! A [`Queue`] is a list of nodes in order of expiry, and knows which node's entry is running. It is plain data; the platform
//! puts it behind a lock of its own, its [`Monitor`], which thereby has
//! [`Timers`](crate::platform::Timers). A platform may have several queues, say one for each processor, each behind its own lock.
//!
//! No node is touched after its entry has returned: that an entry is running is noted in the queue, which outlives
//! every node, and not in the node (promise 4 of [`Timers`](crate::platform::Timers)).
//!
//! All timers of a queue go by one clock; which, is the platform's choice. It may be one that can be set back: then the queue is put in order
//! anew, once.
//!
//! # Which queue a node is in
//! A node belongs to one queue at a time, and names it. What else is in it is accessed under the lock of that queue only, by who
//! found, *under the lock*, that it is still that queue. It moves when it is started by a context whose timers go to another queue:
//! it is taken out under the old lock, names the new queue, and from then on the new lock is its own. A node whose entry runs does not move,
//! so that who waits for the entry knows where; nor does one that was shut.

use core::fmt;
use core::ptr::{self, NonNull};
use core::time::Duration;

use crate::error::Error;
use crate::platform::TimerEntry;
use crate::sync::{AtomicUsize, Ordering, UnsafeCell};
use crate::time::Instant;
use crate::timer::TimerMode;

mod monitor;
#[cfg(all(test, not(loom)))]
mod tests;
mod wheel;

pub use monitor::Monitor;
pub use wheel::{Large, Medium, Size, Small};

use wheel::{First, Wheel};

/// A timer of a [`Queue`], the [`Node`](crate::platform::Timers::Node) of a monitor's timers.
pub struct QueueNode {
    /// The queue that it belongs to. Changed under the lock of the queue that it named.
    queue: AtomicUsize,
    /// What timer it is. Never changed.
    mode: TimerMode,
    /// Accessed under the lock of that queue only.
    inner: UnsafeCell<Inner>,
}

struct Inner {
    link: Link,
    /// In the wheel; or on its way to another queue, where it will be armed anew.
    armed: bool,
    shut: bool,
    /// Whether `expires` is the instant that it was last armed for.
    started: bool,
    /// The instant that it was last armed for, and how much later it may expire.
    expires: u64,
    slack: u64,
    /// How many calls of `cancel` wait for its entry to end.
    cancelling: u32,
    entry: TimerEntry,
    context: *const (),
}

/// What the wheel keeps in a node.
struct Link {
    next: *mut QueueNode,
    prev: *mut QueueNode,
    /// The instant at which it is due: [`roundest`] between that it was armed for and the last that its slack allows.
    at: u64,
    /// Where in the wheel it lies.
    place: u16,
}

// SAFETY: all of a node's state but the atomic is accessed under the lock of its queue; `context` is only handed to `entry`, which may be
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
    /// A node of the queue 0, not armed.
    #[must_use]
    pub fn new(entry: TimerEntry, context: *const ()) -> Self {
        Self::of(0, TimerMode::new(), entry, context)
    }

    /// The same for a timer of any mode, in the queue that the monitor has for it.
    ///
    /// # Errors
    /// Those of [`Monitor::here`].
    pub fn on<M: Monitor>(
        monitor: &M,
        mode: TimerMode,
        entry: TimerEntry,
        context: *const (),
    ) -> Result<Self, Error> {
        Ok(Self::of(monitor.here(mode)?, mode, entry, context))
    }

    fn of(queue: usize, mode: TimerMode, entry: TimerEntry, context: *const ()) -> Self {
        QueueNode {
            queue: AtomicUsize::new(queue),
            mode,
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
                expires: 0,
                slack: 0,
                cancelling: 0,
                entry,
                context,
            }),
        }
    }

    /// The queue that it belongs to: a guess, until [`belongs_to`](Self::belongs_to) has confirmed it under that queue's lock.
    #[inline(always)]
    fn queue(&self) -> usize {
        // Relaxed: whatever comes of it is looked at again under the lock.
        self.queue.load(Ordering::Relaxed)
    }

    /// Whether it belongs to this queue, whose lock the caller holds: if so, for as long as that lock is held.
    #[inline(always)]
    fn belongs_to(&self, queue: usize) -> bool {
        // Acquire: pairs with the Release in `pass_to`, so that what was done to the node under the lock of its former queue comes before.
        self.queue.load(Ordering::Acquire) == queue
    }

    /// Makes it another queue's. From here on it is accessed under the lock of that one.
    #[inline(always)]
    fn pass_to(&self, queue: usize) {
        // Release: pairs with the Acquire in `belongs_to`.
        self.queue.store(queue, Ordering::Release);
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
        self.started.then_some(Instant::from_nanos(self.expires))
    }

    /// Notes what it is to be armed for. Without a slack, the last one stays.
    fn set_expires(&mut self, at: Instant, slack: Option<Duration>) {
        self.started = true;
        self.expires = at.as_nanos();
        if let Some(slack) = slack {
            // The end of the clock is the last instant in any case.
            self.slack = u64::try_from(slack.as_nanos()).unwrap_or(u64::MAX);
        }
        self.link.at = roundest(self.expires, self.expires.saturating_add(self.slack));
    }
}

/// The instant from `first` to `last` with the most zeros at its end. Of two ranges that overlap, both tend to have the same: so timers that need not be
/// exact expire together, with no search for one another.
#[inline(always)]
fn roundest(first: u64, last: u64) -> u64 {
    if first == 0 {
        return 0;
    }
    // In the highest bit in which `first - 1` and `last` differ, `last` has a one. With nothing behind that bit it still is beyond `first - 1`; and nothing
    // in the range has more zeros, since above that bit all of it is equal.
    let bit = 63 - ((first - 1) ^ last).leading_zeros();
    last & (u64::MAX << bit)
}

/// Timers in the order in which they are due, equal ones in the order in which they were started. Starting and cancelling take constant time (but that a timer which is started
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
    due: Instant,
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

    /// The instant at which it is called: that, or later within its slack.
    #[must_use]
    pub fn due(&self) -> Instant {
        self.due
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
    /// `now` is not before that of the last call, but when the queue's clock was set back: this then looks at every timer, once.
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
                            expires: Instant::from_nanos(inner.expires),
                            due: Instant::from_nanos(inner.link.at),
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

    /// Arms the node for what [`Inner::set_expires`] said.
    ///
    /// # Safety
    /// The node is valid and not armed, and stays valid until it is disarmed.
    unsafe fn insert(&mut self, node: NonNull<QueueNode>) {
        // SAFETY: the caller's promise.
        unsafe {
            let at = QueueNode::look(node, |inner| {
                inner.armed = true;
                inner.link.at
            });
            self.wheel.insert(node, at);
        }
    }

    /// # Safety
    /// The node is valid.
    unsafe fn disarm(&mut self, node: NonNull<QueueNode>) -> bool {
        // SAFETY: valid, says the caller; armed means in this queue, or on its way here.
        unsafe {
            let armed = QueueNode::look(node, |inner| core::mem::take(&mut inner.armed));
            if armed && !Wheel::<S>::is_away(node) {
                self.wheel.remove(node);
            }
            armed
        }
    }

    /// Gives the node to another queue, where it is to be armed anew. If it was armed it counts as that on its way: a cancel finds it so.
    ///
    /// # Safety
    /// The node is valid and of this queue, and `may_leave`.
    unsafe fn pass_on(&mut self, node: NonNull<QueueNode>, to: usize) {
        // SAFETY: valid, says the caller; armed means in this queue, or just come here.
        unsafe {
            if QueueNode::look(node, |inner| inner.armed) && !Wheel::<S>::is_away(node) {
                self.wheel.remove(node);
                Wheel::<S>::set_away(node);
            }
            // The last touch under this lock.
            node.as_ref().pass_to(to);
        }
    }

    /// Whether the node may go to another queue.
    ///
    /// # Safety
    /// The node is valid and of this queue.
    unsafe fn may_leave(&self, node: NonNull<QueueNode>) -> bool {
        // SAFETY: valid, says the caller.
        let pinned = unsafe { node.as_ref() }.mode.pinned;
        // A pinned one has a place of its own once it was started.
        // SAFETY: valid, and under the lock.
        let stays = pinned && unsafe { QueueNode::look(node, |inner| inner.started) };
        !stays && !self.is_running(node)
    }

    fn is_running(&self, node: NonNull<QueueNode>) -> bool {
        ptr::eq(self.running, node.as_ptr())
    }
}
