//! Virtual time, deterministic: the platform of tests.

use std::format;
use std::io::{self, Write};
use std::string::String;
use std::sync::{Arc, PoisonError};
use std::thread;
use std::vec::Vec;

use core::alloc::Layout;
use core::fmt;
use core::ptr::NonNull;
use core::time::Duration;

use crate::context::{ContextId, MaySleep};
use crate::event::Event;
use crate::platform::deferred::DeferredNode;
use crate::platform::heap;
use crate::platform::threads::pause;
use crate::platform::{
    contexts, DeferredEntry, Emulated, EmulatedDma, HostSections, LineIrqs, Platform, StdRawLock,
    Threads,
};
use crate::sections::Sections;
use crate::time::Instant;
use crate::timer::Clock;

mod timers;
mod world;

pub use timers::SimTimer;

use world::{State, World, WORK};

/// A world whose time passes only when told to, by [`advance`](Sim::advance) or by a sleep. Callbacks run on the thread that lets time pass,
/// each at the very instant that it was armed for.
///
/// (A wait for readers on other threads takes real time, and lets about as much of this time pass.)
///
/// It has all clocks. The real-time clock begins at 1,000,000,000 s, and is set by [`step_real_time`](Sim::step_real_time); that of boot time goes on in
/// [`suspend`](Sim::suspend). Soft timers expire after all hard ones that are due at the same instant, and timers of different clocks in the order in
/// which [`Clock`] has them.
///
/// [Work](crate::work) is called after all timers of the same instant, one after the other. It may sleep: then time passes, and timers expire inside its sleep, but no
/// other work is called until it returns.
///
/// The same test has the same trace, down to the last event: see [`with_log`](Sim::with_log). Clones are the same world.
#[derive(Clone)]
pub struct Sim(Arc<World>);

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
        Sim(Arc::new(World::new(log)))
    }

    /// What has been written down so far, a line for each event.
    #[must_use]
    pub fn log(&self) -> Vec<String> {
        self.0.lock().log.clone().unwrap_or_default()
    }

    /// Lends the proof that one may sleep.
    ///
    /// # Panics
    /// Inside a callback, where one may not; inside work as well, whose context has the proof.
    pub fn may_sleep<R>(&self, f: impl for<'c> FnOnce(MaySleep<'c>) -> R) -> R {
        assert!(!contexts::in_callback(), "a callback may not sleep");
        // SAFETY: a thread outside every callback may sleep, throughout `f`, which is generic in the lifetime. [AWAKE]
        f(unsafe { MaySleep::assume() })
    }

    /// Lets time pass, and runs what falls due; then makes the removals that callbacks have put off, which wait for port calls and readers.
    ///
    /// It does not come back while a timer restarts itself for the same instant, each time: then time stands. Nor while an interrupt line stays high for
    /// handlers that say each time that they have handled it.
    ///
    /// # Panics
    /// Inside a callback other than work: time stands still there.
    pub fn advance(&self, by: Duration) {
        let until = self.0.lock().now.saturating_add(by);
        self.advance_to(until);
    }

    /// Lets time pass until an instant, and runs what falls due.
    ///
    /// # Panics
    /// As [`advance`](Sim::advance).
    pub fn advance_to(&self, until: Instant) {
        self.pass(until, false);
    }

    /// Sets the real-time clock, forward or back, and runs what falls due by that.
    ///
    /// # Panics
    /// As [`advance`](Sim::advance).
    pub fn step_real_time(&self, to: Instant) {
        assert_time_passes();
        let mut state = self.0.lock();
        state.real_time = i128::from(to.as_nanos()) - i128::from(state.now.as_nanos());
        let now = state.now;
        drop(state);
        self.pass(now, false);
    }

    /// Suspends the machine: the monotonic clock stands, the others go on. Then runs what has fallen due.
    ///
    /// # Panics
    /// As [`advance`](Sim::advance).
    pub fn suspend(&self, duration: Duration) {
        assert_time_passes();
        let mut state = self.0.lock();
        // (Far beyond the end of the clock it makes no difference any more.)
        let nanos = duration.as_nanos().min(u64::MAX.into()) as i128;
        state.real_time = state.real_time.saturating_add(nanos);
        state.boot_time = state.boot_time.saturating_add(nanos);
        let now = state.now;
        drop(state);
        self.pass(now, false);
    }

    /// Lets time pass. What is deferred goes to another thread if this one is inside of a section, of work or of a wait, that
    /// could never come to its end below it.
    fn pass(&self, until: Instant, waiting: bool) {
        /// So many calls at one instant are those of a timer that restarts itself at once, or of a line that stays high.
        const AT_ONCE: u32 = 1_000;
        assert_time_passes();
        let shared = &*self.0;
        let (mut handed_over, mut over) = (false, false);
        let mut state = shared.lock();
        // The instant of the last call, and how many came before it at that instant.
        let (mut begun, mut calls) = (state.now, 0_u32);
        // Notes the end of a call that began at an instant; whether this is over by that.
        let mut ended = |state: &mut State, at: Instant| {
            shared.ended.notify_all();
            calls = if at > begun {
                0
            } else {
                calls.saturating_add(1)
            };
            begun = at;
            let stands = waiting && calls == AT_ONCE;
            if stands {
                // Time stands, and never would this end. What is waited for may have; or its time is to be over.
                state.now = state.now.max(until);
            }
            stands
        };
        loop {
            if state.has_calls_to_make() && !handed_over {
                drop(state);
                // Each time: a callback may have begun a section, and kept it.
                handed_over = waiting || contexts::in_callback() || self.sections().holds(None);
                if handed_over {
                    self.run_deferred_elsewhere();
                } else {
                    shared.run_deferred();
                }
                state = shared.lock();
            } else if over {
                return;
            } else if state.is_busy() {
                if waiting {
                    // Another thread runs a callback, which may last until this wait is over.
                    return;
                }
                // Another thread lets time pass, too.
                state = shared
                    .ended
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner);
            } else if let Some(line) = shared.irqs.next() {
                state.interrupted = true;
                let at = state.now;
                drop(state);
                line.deliver(&|handler, ours| {
                    let said = if ours { "handled" } else { "not its own" };
                    shared.log(|| format!("interrupt: handler {handler} of its line: {said}"));
                });
                handed_over = false;
                state = shared.lock();
                state.interrupted = false;
                over = ended(&mut state, at);
            } else if let Some((queue, at)) = state.next(until) {
                let called;
                (state, called) = shared.call(state, queue, at);
                if !called {
                    continue;
                }
                handed_over = false;
                // Not before what that call has put off is handed over: nobody may let time pass here again.
                over = ended(&mut state, at);
            } else {
                state.now = state.now.max(until);
                return;
            }
        }
    }
}

fn assert_time_passes() {
    assert!(
        contexts::may_sleep(),
        "time does not pass inside a callback"
    );
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
        // Not under the lock, which whoever is written to may take.
        let now = self.0.lock().now;
        write!(f, "Sim(at {now})")
    }
}

// SAFETY: the promises, by their numbers. 1: a mutex held for a few instructions; deferred calls are made by `advance_to` or a thread
// of their own, outside callbacks. 2: the global allocator. 3: `contexts` numbers threads and nested callbacks. 4: nothing here
// panics but `sleep`. Timers are called by `advance_to` only. [PROMISE]
unsafe impl Platform for Sim {
    type Bus = Emulated;
    type RawLock = StdRawLock;
    type Timers = Self;
    type Irqs = LineIrqs;
    type Dma = EmulatedDma;
    type Sections = HostSections;
    type Deferred = DeferredNode;

    fn allocate(&self, layout: Layout) -> Option<NonNull<u8>> {
        heap::allocate(layout)
    }

    unsafe fn deallocate(&self, block: NonNull<u8>, layout: Layout) {
        // SAFETY: the caller's promise. [CALLER]
        unsafe { heap::deallocate(block, layout) }
    }

    fn context(&self) -> ContextId {
        contexts::current()
    }

    fn is_beneath(&self, context: ContextId) -> bool {
        contexts::is_beneath(context)
    }

    fn in_callback(&self) -> bool {
        contexts::in_callback()
    }

    fn sleep(&self, _cx: MaySleep<'_>, delay: Duration) {
        self.advance(delay);
    }

    /// Timers that fall due meanwhile are late, as they would be behind a driver that keeps the CPU.
    fn delay(&self, delay: Duration) {
        let now = &mut self.0.lock().now;
        *now = now.saturating_add(delay);
    }

    unsafe fn defer(&self, node: *mut DeferredNode, run: DeferredEntry, argument: *mut ()) {
        let mut state = self.0.lock();
        // SAFETY: the caller's promise. [CALLER]
        unsafe { state.deferred.push(node, run, argument) };
        // In a callback of this world, the `advance` that runs it makes the call next. Elsewhere nobody may ever let time pass in this
        // world again, or whoever does may wait for this thread.
        let is_busy = state.is_busy() || state.queues[WORK].is_busy();
        let picked_up = is_busy && contexts::in_callback() && !self.sections().holds(None);
        drop(state);
        if !picked_up {
            self.run_deferred_elsewhere();
        }
    }

    fn now(&self) -> Instant {
        self.0.lock().now
    }

    fn clock(&self, clock: Clock) -> Option<Instant> {
        Some(self.0.lock().read(clock))
    }

    fn irqs(&self) -> &LineIrqs {
        &self.0.irqs
    }

    fn dma(&self) -> &EmulatedDma {
        &EmulatedDma
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
        if !waited.is_zero() && contexts::may_sleep() {
            let until = self.now().saturating_add(waited);
            self.pass(until, true);
        }
    }

    fn trace(&self, event: &Event<'_>) {
        if matches!(event, Event::Stalled { .. }) {
            // Time does not pass here by itself, so nothing else would tell. If it cannot be told, no panic is to end the wait (promise 4), as
            // that of `eprintln!` would.
            let _ = writeln!(io::stderr(), "driver-scope: {event}");
        }
        self.0.log(|| format!("{event}"));
    }
}
