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
use crate::sync::{AtomicU16, Ordering, UnsafeCell};
use crate::time::Instant;
use crate::timer::mode::PackedMode;
use crate::timer::TimerMode;

mod monitor;
#[cfg(all(test, not(loom)))]
mod tests;
mod wheel;

pub use monitor::Monitor;
pub use wheel::{Large, Medium, Size, Small};

use wheel::{First, Wheel, AWAY, NEVER, NOWHERE};

/// A timer of a [`Queue`], the [`Node`](crate::platform::Timers::Node) of a monitor's timers.
// One line of most caches: with many timers, what a start or a cancel costs is the lines that it has to wait for.
#[repr(C, align(64))]
pub struct QueueNode {
    /// The queue that it belongs to. Changed under the lock of the queue that it named.
    queue: AtomicU16,
    /// What timer it is. Never changed.
    mode: PackedMode,
    /// This and `inner` are accessed under the lock of that queue only.
    state: UnsafeCell<State>,
    inner: UnsafeCell<Inner>,
}

#[cfg(not(loom))]
const _: () = assert!(size_of::<QueueNode>() == 64);

#[derive(Clone, Copy)]
struct State {
    /// Where in the wheel it lies; or `AWAY`, if it is on its way to another queue, where it will be armed anew; or `NOWHERE`, if it is not armed; or `NEVER`.
    place: u16,
    /// What keeps it from being armed: [`SHUT`], and how many calls of `cancel` wait for its entry to end.
    held: u16,
}

/// It was shut: it is never armed again.
const SHUT: u16 = 1 << 15;
/// As many calls of `cancel` wait as can be counted.
const CROWDED: u16 = SHUT - 1;

struct Inner {
    link: Link,
    /// The instant that it was last armed for, if it was, and how much later it may expire.
    expires: u64,
    slack: u64,
    entry: TimerEntry,
    context: *const (),
}

/// What the wheel keeps in a node.
struct Link {
    next: *mut QueueNode,
    prev: *mut QueueNode,
    /// The instant at which it is due: [`roundest`] between that it was armed for and the last that its slack allows.
    at: u64,
}

impl State {
    #[inline(always)]
    fn is_armed(self) -> bool {
        self.place < NOWHERE
    }

    fn was_started(self) -> bool {
        self.place != NEVER
    }
}

// SAFETY: all of a node's state but the atomic is accessed under the lock of its queue; `context` is only handed to `entry`, which may be
// called from any context. [SHARED, LOCKED]
unsafe impl Send for QueueNode {}
// SAFETY: as above. [SHARED, LOCKED]
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
        let queue = u16::try_from(monitor.here(mode)?).map_err(|_| Error::Unsupported)?;
        Ok(Self::of(queue, mode, entry, context))
    }

    fn of(queue: u16, mode: TimerMode, entry: TimerEntry, context: *const ()) -> Self {
        QueueNode {
            queue: AtomicU16::new(queue),
            mode: PackedMode::new(mode),
            state: UnsafeCell::new(State {
                place: NEVER,
                held: 0,
            }),
            inner: UnsafeCell::new(Inner {
                link: Link {
                    next: ptr::null_mut(),
                    prev: ptr::null_mut(),
                    at: 0,
                },
                expires: 0,
                slack: 0,
                entry,
                context,
            }),
        }
    }

    /// The queue that it belongs to: a guess, until [`belongs_to`](Self::belongs_to) has confirmed it under that queue's lock.
    #[inline(always)]
    fn queue(&self) -> usize {
        // Relaxed: whatever comes of it is looked at again under the lock.
        self.queue.load(Ordering::Relaxed).into()
    }

    /// Whether it belongs to this queue, whose lock the caller holds: if so, for as long as that lock is held.
    #[inline(always)]
    fn belongs_to(&self, queue: usize) -> bool {
        // Acquire: pairs with the Release in `pass_to`, so that what was done to the node under the lock of its former queue comes before.
        usize::from(self.queue.load(Ordering::Acquire)) == queue
    }

    /// Makes it another queue's. From here on it is accessed under the lock of that one.
    #[inline(always)]
    fn pass_to(&self, queue: u16) {
        // Release: pairs with the Acquire in `belongs_to`.
        self.queue.store(queue, Ordering::Release);
    }

    /// Looks into a node.
    ///
    /// # Safety
    /// The node is valid, and the lock of the queue that it belongs to is held (a borrow of the queue, or of its wheel, proves it).
    #[inline(always)]
    unsafe fn look<R>(node: NonNull<QueueNode>, f: impl FnOnce(&mut Inner) -> R) -> R {
        // SAFETY: valid, and under the lock nobody else is in it; `f` does not come back here for the same node. [LOCKED, CALLER]
        unsafe { node.as_ref().inner.with_mut(|inner| f(&mut *inner)) }
    }

    /// What state a node is in.
    ///
    /// # Safety
    /// As for [`look`](Self::look).
    #[inline(always)]
    unsafe fn state(node: NonNull<QueueNode>) -> State {
        // SAFETY: valid, and under the lock nobody writes meanwhile. [LOCKED, CALLER]
        unsafe { node.as_ref().state.with(|state| *state) }
    }

    /// Changes that.
    ///
    /// # Safety
    /// As for [`look`](Self::look).
    #[inline(always)]
    unsafe fn set<R>(node: NonNull<QueueNode>, f: impl FnOnce(&mut State) -> R) -> R {
        // SAFETY: valid, and under the lock nobody else is in it; `f` does not come back here. [LOCKED, CALLER]
        unsafe { node.as_ref().state.with_mut(|state| f(&mut *state)) }
    }

    /// The instant that it was last armed for.
    ///
    /// # Safety
    /// As for [`look`](Self::look).
    unsafe fn expires(node: NonNull<QueueNode>) -> Option<Instant> {
        // SAFETY: the caller's promise. [CALLER]
        unsafe {
            let at = Self::look(node, |inner| inner.expires);
            Self::state(node)
                .was_started()
                .then_some(Instant::from_nanos(at))
        }
    }

    /// Looks at what the wheel keeps in a node.
    ///
    /// # Safety
    /// As for [`look`](Self::look).
    #[inline(always)]
    unsafe fn link<R>(node: NonNull<QueueNode>, f: impl FnOnce(&mut Link) -> R) -> R {
        // SAFETY: the caller's promise. [CALLER]
        unsafe { Self::look(node, |inner| f(&mut inner.link)) }
    }
}

impl Inner {
    /// Notes what it is to be armed for. Without a slack, the last one stays.
    #[inline(always)]
    fn set_expires(&mut self, at: Instant, slack: Option<u64>) {
        self.expires = at.as_nanos();
        if let Some(slack) = slack {
            self.slack = slack;
        }
        self.link.at = match self.slack {
            0 => self.expires,
            slack => due(self.expires, slack),
        };
    }
}

/// A slack in nanoseconds. The end of the clock is the last instant in any case.
#[inline(always)]
fn nanos(slack: Duration) -> u64 {
    u64::try_from(slack.as_nanos()).unwrap_or(u64::MAX)
}

/// When a timer with a slack is due.
#[inline(never)]
fn due(expires: u64, slack: u64) -> u64 {
    roundest(expires, expires.saturating_add(slack))
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
    /// What was told last, when one asked what comes next: the alarm is set for this instant, or an earlier one. 0 while one is yet to ask.
    told: u64,
    /// The node whose entry is being called, perhaps dangling: it is compared, never followed.
    running: *const QueueNode,
}

// SAFETY: the nodes that it points to are `Sync` and are accessed under the lock that holds the queue. [SHARED, LOCKED]
unsafe impl<S: Size> Send for Queue<S> {}

impl<S: Size> fmt::Debug for Queue<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue")
            .field("running", &self.is_busy())
            .finish_non_exhaustive()
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

// SAFETY: an entry may be called from any context (`Timers::init`). [SHARED]
unsafe impl Send for Call {}

impl Call {
    /// Calls the entry.
    ///
    /// # Safety
    /// This call came from [`Queue::take_due`], [`Queue::finished`] has not been called since, and no lock is held.
    pub unsafe fn make(self) {
        // SAFETY: `take_due` found the node armed, so it was not shut, and since the queue says that it is running, its shut
        // does not return before `finished`. [QUEUED, CALLER]
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
            told: u64::MAX,
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
        let (told, due) = match self.wheel.first(now.as_nanos()) {
            First::None => (u64::MAX, Due::Never),
            First::NotBefore(at) => (at, Due::At(Instant::from_nanos(at))),
            First::Node(node) => {
                // SAFETY: nodes in the queue are valid: shutting a node takes it out. [QUEUED]
                let call = unsafe {
                    self.disarm(node);
                    QueueNode::look(node, |inner| Call {
                        entry: inner.entry,
                        context: inner.context,
                        expires: Instant::from_nanos(inner.expires),
                        due: Instant::from_nanos(inner.link.at),
                    })
                };
                self.running = node.as_ptr();
                // After its end one asks again.
                (0, Due::Call(call))
            }
        };
        self.told = told;
        due
    }

    /// Notes that the entry taken out last has returned. Its node is not touched, and may be gone as soon as the lock is.
    ///
    /// Then ask, before the alarm is relied on again, what comes next: [`take_due`](Queue::take_due) or [`next_expiry`](Queue::next_expiry).
    pub fn finished(&mut self) {
        self.running = ptr::null();
    }

    /// Whether an entry that was taken out has not yet been [`finished`](Queue::finished).
    #[must_use]
    pub fn is_busy(&self) -> bool {
        !self.running.is_null()
    }

    /// When there may be something to do: nothing expires before. What is started later for an earlier instant is told to [`Monitor::alarm`].
    #[must_use]
    pub fn next_expiry(&mut self) -> Option<Instant> {
        let earliest = self.wheel.earliest();
        self.told = earliest.unwrap_or(u64::MAX);
        earliest.map(Instant::from_nanos)
    }

    /// Arms the node, whether or not it is armed already. Says whether it expires before all that was told.
    ///
    /// # Safety
    /// The node is valid, and of this queue, and stays valid until it is disarmed.
    #[inline(always)]
    unsafe fn rearm(&mut self, node: NonNull<QueueNode>, at: Instant, slack: Option<u64>) -> bool {
        // SAFETY: the caller's promise. [CALLER]
        let due = unsafe {
            if QueueNode::state(node).is_armed() {
                self.wheel.remove(node);
            }
            let due = QueueNode::look(node, |inner| {
                inner.set_expires(at, slack);
                inner.link.at
            });
            self.wheel.insert(node);
            due
        };
        let is_first = due < self.told;
        if is_first {
            self.told = due;
        }
        is_first
    }

    /// # Safety
    /// The node is valid, and of this queue.
    #[inline(always)]
    unsafe fn disarm(&mut self, node: NonNull<QueueNode>) -> bool {
        // SAFETY: valid, says the caller; armed means in this queue, or on its way here. [QUEUED, CALLER]
        unsafe {
            let armed = QueueNode::state(node).is_armed();
            if armed {
                self.wheel.remove(node);
                QueueNode::set(node, |state| state.place = NOWHERE);
            }
            armed
        }
    }

    /// Gives the node to another queue, where it is to be armed anew. If it was armed it counts as that on its way: a cancel finds it so.
    ///
    /// # Safety
    /// The node is valid and of this queue, and `may_leave`.
    #[cold]
    unsafe fn pass_on(&mut self, node: NonNull<QueueNode>, to: u16) {
        // SAFETY: valid, says the caller; armed means in this queue, or just come here. [QUEUED, CALLER]
        unsafe {
            if self.disarm(node) {
                QueueNode::set(node, |state| state.place = AWAY);
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
        // SAFETY: valid, says the caller. [CALLER]
        let pinned = unsafe { node.as_ref() }.mode.is_pinned();
        // A pinned one has a place of its own once it was started.
        // SAFETY: valid, and under the lock. [LOCKED, CALLER]
        let stays = pinned && unsafe { QueueNode::state(node) }.was_started();
        !stays && !self.is_running(node)
    }

    #[inline(always)]
    fn is_running(&self, node: NonNull<QueueNode>) -> bool {
        ptr::eq(self.running, node.as_ptr())
    }
}
