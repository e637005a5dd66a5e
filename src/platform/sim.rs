//! Virtual time, deterministic: the platform of tests.

use std::alloc;
use std::eprintln;
use std::format;
use std::string::String;
use std::sync::{Arc, PoisonError};
use std::thread;
use std::vec::Vec;

use core::alloc::Layout;
use core::fmt;
use core::ptr::{self, NonNull};
use core::time::Duration;

use crate::context::{ContextId, MaySleep};
use crate::error::Error;
use crate::event::Event;
use crate::platform::deferred::{DeferredNode, DeferredQueue};
use crate::platform::threads::pause;
use crate::platform::{
    contexts, Arm, DeferredEntry, Emulated, HostSections, Platform, StdMonitor, StdRawLock,
    Threads, TimerEntry, TimerState, Timers, TryCancel,
};
use crate::sections::Sections;
use crate::time::Instant;
use crate::timer::queue::{Due, QueueNode};

/// A world whose time passes only when told to, by [`advance`](Sim::advance) or by a sleep. Callbacks run on the thread that lets time pass,
/// each at the very instant that it was armed for.
///
/// (A wait for readers on other threads takes real time, and lets about as much of this time pass.)
///
/// The same test has the same trace, down to the last event: see [`with_log`](Sim::with_log). Clones are the same world.
#[derive(Clone)]
pub struct Sim(Arc<StdMonitor<World>>);

struct World {
    now: Instant,
    deferred: DeferredQueue,
    /// Whether somebody is making the deferred calls, which are made one after the other.
    deferring: bool,
    timers: u64,
    log: Option<Vec<String>>,
}

/// A timer of a [`Sim`]: numbered, so that a log can tell it from others.
pub struct SimTimer {
    queued: QueueNode,
    number: u64,
    entry: TimerEntry,
    context: *const (),
    sim: *const StdMonitor<World>,
}

// SAFETY: but for the `queued` part, which is `Sync`, a timer is not written after its init; the pointers are only handed on
// (`context`) or used while the platform exists (`sim`).
unsafe impl Send for SimTimer {}
// SAFETY: as above.
unsafe impl Sync for SimTimer {}

impl fmt::Debug for SimTimer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SimTimer({})", self.number)
    }
}

impl Sim {
    /// A world at instant zero.
    #[must_use]
    pub fn new() -> Self {
        Self::build(None)
    }

    /// A world that writes down everything that happens in it: arming, expiry, cancelling, teardown.
    #[must_use]
    pub fn with_log() -> Self {
        Self::build(Some(Vec::new()))
    }

    fn build(log: Option<Vec<String>>) -> Self {
        Sim(Arc::new(StdMonitor::new(World {
            now: Instant::ZERO,
            deferred: DeferredQueue::new(),
            deferring: false,
            timers: 0,
            log,
        })))
    }

    /// What has been written down so far, a line for each event.
    #[must_use]
    pub fn log(&self) -> Vec<String> {
        self.0.lock().rest.log.clone().unwrap_or_default()
    }

    /// Lends the proof that one may sleep.
    ///
    /// # Panics
    /// Inside a callback, where one may not.
    pub fn may_sleep<R>(&self, f: impl for<'c> FnOnce(MaySleep<'c>) -> R) -> R {
        assert!(!contexts::in_callback(), "a callback may not sleep");
        // SAFETY: a thread outside every callback may sleep, throughout `f`, which is generic in the lifetime.
        f(unsafe { MaySleep::assume() })
    }

    /// Lets time pass, and runs what falls due; then makes the removals that callbacks have put off, which wait for port calls and readers.
    ///
    /// # Panics
    /// Inside a callback: time stands still there.
    pub fn advance(&self, by: Duration) {
        let until = self.0.lock().rest.now.saturating_add(by);
        self.advance_to(until);
    }

    /// Lets time pass until an instant, and runs what falls due.
    ///
    /// # Panics
    /// As [`advance`](Sim::advance).
    pub fn advance_to(&self, until: Instant) {
        self.pass(until, false);
    }

    /// Lets time pass. What is deferred goes to another thread if this one is inside of a section, or inside of a wait, that
    /// could never come to its end below it.
    fn pass(&self, until: Instant, waiting: bool) {
        assert!(
            !contexts::in_callback(),
            "time does not pass inside a callback"
        );
        let shared = &*self.0;
        let mut handed_over = false;
        let mut state = shared.lock();
        loop {
            if state.rest.has_calls_to_make() && !handed_over {
                drop(state);
                // Each time: a callback may have begun a section, and kept it.
                handed_over = waiting || self.sections().holds(None);
                if handed_over {
                    self.run_deferred_elsewhere();
                } else {
                    shared.run_deferred();
                }
                state = shared.lock();
            } else if state.queue.is_busy() {
                if waiting {
                    // Another thread runs a callback, which may last until this wait is over.
                    return;
                }
                // Another thread lets time pass, too.
                state = shared
                    .ended
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner);
            } else if let Due::Call(call) = state.queue.take_due(until) {
                state.rest.now = state.rest.now.max(call.expires());
                drop(state);
                // SAFETY: just taken out, and `finished` comes next; no lock is held.
                contexts::callback(|| unsafe { call.make() });
                handed_over = false;
                state = shared.lock();
                state.queue.finished();
                shared.ended.notify_all();
            } else {
                state.rest.now = state.rest.now.max(until);
                return;
            }
        }
    }
}

impl Sim {
    /// Has another thread make the calls that were deferred.
    fn run_deferred_elsewhere(&self) {
        let world = self.clone();
        // If there is no thread to be had, the next `advance` makes them.
        let _ = thread::Builder::new()
            .name("deferred".into())
            .spawn(move || world.0.run_deferred());
    }
}

impl Default for Sim {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Sim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sim(at {})", self.0.lock().rest.now)
    }
}

impl World {
    fn has_calls_to_make(&self) -> bool {
        !self.deferring && !self.deferred.is_empty()
    }
}

impl StdMonitor<World> {
    /// Makes the calls that were deferred. Not in a callback.
    fn run_deferred(&self) {
        let mut state = self.lock();
        while state.rest.has_calls_to_make() {
            let Some(call) = state.rest.deferred.pop() else {
                return;
            };
            state.rest.deferring = true;
            drop(state);
            // SAFETY: each call comes out of the queue once; this is no callback, and the caller may sleep.
            unsafe { call.make() };
            state = self.lock();
            state.rest.deferring = false;
        }
    }

    fn log(&self, what: impl FnOnce() -> String) {
        let mut state = self.lock();
        let now = state.rest.now;
        if let Some(log) = &mut state.rest.log {
            log.push(format!("[{now}] {}", what()));
        }
    }
}

/// Tells the log, then calls the timer's own entry.
///
/// # Safety
/// `timer` is a `SimTimer` whose entry may be called.
unsafe extern "C" fn expire(timer: *const (), expires: Instant) {
    // SAFETY: the queue calls this between the timer's init and the return of its shut. The `Sim` outlives the scope.
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
    // SAFETY: as above.
    unsafe { entry(context, expires) }
}

/// The queued part of a timer.
///
/// # Safety
/// The timer is initialised and not released.
unsafe fn queued(timer: NonNull<SimTimer>) -> NonNull<QueueNode> {
    // SAFETY: the place of a field of a valid timer.
    unsafe { NonNull::new_unchecked(ptr::addr_of_mut!((*timer.as_ptr()).queued)) }
}

// SAFETY: the promises are those of the monitor's timers, to which all of this goes.
unsafe impl Timers for Sim {
    type Node = SimTimer;

    unsafe fn init(
        &self,
        node: *mut SimTimer,
        entry: TimerEntry,
        context: *const (),
    ) -> Result<(), Error> {
        let number = {
            let mut state = self.0.lock();
            state.rest.timers += 1;
            state.rest.timers
        };
        // SAFETY: memory for a timer, says the caller.
        unsafe {
            node.write(SimTimer {
                queued: QueueNode::new(expire, node as *const ()),
                number,
                entry,
                context,
                sim: Arc::as_ptr(&self.0),
            });
        }
        Ok(())
    }

    unsafe fn arm(&self, node: NonNull<SimTimer>, at: Instant, how: Arm) -> Result<(), Error> {
        // SAFETY: (this and the four below) the timer is initialised and of this platform, says the caller, and the crate
        // shuts it before its memory goes.
        let (armed, number) =
            unsafe { (self.0.arm(queued(node), at, how), (*node.as_ptr()).number) };
        self.0.log(|| match (&armed, how) {
            (Ok(_), Arm::Replace) => format!("timer {number} is armed for {at}"),
            (Ok(_), Arm::IfIdle) => format!("timer {number} is armed for {at} unless it is armed"),
            (Err(error), _) => format!("timer {number} is not armed: {error}"),
        });
        armed
    }

    unsafe fn state(&self, node: NonNull<SimTimer>) -> TimerState {
        // SAFETY: see `arm`.
        unsafe { self.0.state(queued(node)) }
    }

    unsafe fn try_cancel(&self, node: NonNull<SimTimer>) -> TryCancel {
        // SAFETY: see `arm`.
        let (found, number) = unsafe { (self.0.try_cancel(queued(node)), (*node.as_ptr()).number) };
        self.0
            .log(|| format!("timer {number} is to be cancelled: {found:?}"));
        found
    }

    unsafe fn cancel(&self, node: NonNull<SimTimer>, cx: MaySleep<'_>, stalled: &dyn Fn()) -> bool {
        // SAFETY: see `arm`.
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

    unsafe fn shut(
        &self,
        node: NonNull<SimTimer>,
        cx: MaySleep<'_>,
        stalled: &dyn Fn(),
    ) -> TimerState {
        // SAFETY: see `arm`.
        unsafe { self.0.shut(queued(node), cx, stalled) }
    }
}

// SAFETY: the promises, by their numbers. 1: a mutex held for a few instructions; deferred calls are made by `advance_to` or a thread
// of their own, outside callbacks. 2: the global allocator. 3: `contexts` numbers threads and nested callbacks. 4: nothing here
// panics but `sleep`. Timers are called by `advance_to` only.
unsafe impl Platform for Sim {
    type Bus = Emulated;
    type RawLock = StdRawLock;
    type Timers = Self;
    type Sections = HostSections;
    type Deferred = DeferredNode;

    fn allocate(&self, layout: Layout) -> Option<NonNull<u8>> {
        // The crate never asks for a layout of size zero, but anybody may.
        if layout.size() == 0 {
            return None;
        }
        // SAFETY: not of size zero.
        NonNull::new(unsafe { alloc::alloc(layout) })
    }

    unsafe fn deallocate(&self, block: NonNull<u8>, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { alloc::dealloc(block.as_ptr(), layout) }
    }

    fn context(&self) -> ContextId {
        contexts::current()
    }

    fn in_callback(&self) -> bool {
        contexts::in_callback()
    }

    fn sleep(&self, _cx: MaySleep<'_>, delay: Duration) {
        self.advance(delay);
    }

    /// Timers that fall due meanwhile are late, as they would be behind a driver that keeps the CPU.
    fn delay(&self, delay: Duration) {
        let now = &mut self.0.lock().rest.now;
        *now = now.saturating_add(delay);
    }

    unsafe fn defer(&self, node: *mut DeferredNode, run: DeferredEntry, argument: *mut ()) {
        let mut state = self.0.lock();
        // SAFETY: the caller's promise.
        unsafe { state.rest.deferred.push(node, run, argument) };
        // In a callback of this world, the `advance` that runs it makes the call next. Elsewhere nobody may ever let time pass in this
        // world again, or whoever does may wait for this thread.
        let picked_up =
            state.queue.is_busy() && contexts::in_callback() && !self.sections().holds(None);
        drop(state);
        if !picked_up {
            self.run_deferred_elsewhere();
        }
    }

    fn now(&self) -> Instant {
        self.0.lock().rest.now
    }

    fn timers(&self) -> &Self {
        self
    }

    #[inline(always)]
    fn sections(&self) -> &HostSections {
        &const { Threads::sections() }
    }

    /// Other threads may be what is waited for, so real time passes; time passes here as well, or no end could be set to a wait.
    fn pause(&self, _cx: MaySleep<'_>, round: u32) {
        let waited = pause(round);
        if !waited.is_zero() && !contexts::in_callback() {
            let until = self.now().saturating_add(waited);
            self.pass(until, true);
        }
    }

    fn trace(&self, event: &Event<'_>) {
        if matches!(event, Event::Stalled { .. }) {
            // Time does not pass here by itself, so nothing else would tell.
            eprintln!("driver-scope: {event}");
        }
        self.0.log(|| format!("{event}"));
    }
}
