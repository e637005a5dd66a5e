//! The world of a `Sim`: its clocks, its queues, and which call comes next.

use std::format;
use std::string::String;
use std::sync::{Condvar, Mutex, MutexGuard};
use std::vec::Vec;

use crate::error::Error;
use crate::platform::deferred::DeferredQueue;
use crate::platform::monitor::{lock, wait};
use crate::platform::{contexts, LineIrqs};
use crate::time::Instant;
use crate::timer::queue::{Due, Medium, Monitor, Queue};
use crate::timer::{Clock, TimerMode};

/// What the real-time clock shows in the beginning: 2001-09-09 01:46:40 UTC.
const EPOCH: Instant = Instant::from_nanos(1_000_000_000 * 1_000_000_000);

/// The number of the queue for work, the last one.
pub(super) const WORK: usize = 6;

/// The clock of each other queue, and whether it is for soft timers: of timers that are due at the same instant, the first queue's come first.
const MODES: [(Clock, bool); WORK] = [
    (Clock::Monotonic, false),
    (Clock::RealTime, false),
    (Clock::BootTime, false),
    (Clock::Monotonic, true),
    (Clock::RealTime, true),
    (Clock::BootTime, true),
];

pub(super) struct World {
    pub(super) state: Mutex<State>,
    /// Tells who waits for an entry that one has ended.
    pub(super) ended: Condvar,
    pub(super) irqs: LineIrqs,
}

pub(super) struct State {
    /// One for each of [`MODES`], and that for work.
    pub(super) queues: [Queue<Medium>; WORK + 1],
    /// Whether interrupt handlers are being called.
    pub(super) interrupted: bool,
    /// The monotonic clock.
    pub(super) now: Instant,
    /// How far the other two are ahead of it, or behind.
    pub(super) real_time: i128,
    pub(super) boot_time: i128,
    pub(super) deferred: DeferredQueue,
    /// Whether somebody is making the deferred calls, which are made one after the other.
    pub(super) deferring: bool,
    pub(super) timers: u64,
    pub(super) log: Option<Vec<String>>,
}

impl State {
    /// Whether a timer's callback runs, during which time stands still. Work may sleep.
    pub(super) fn is_busy(&self) -> bool {
        self.interrupted || self.queues[..WORK].iter().any(Queue::is_busy)
    }

    /// What a clock shows. (Its ends are not left.)
    pub(super) fn read(&self, clock: Clock) -> Instant {
        let shown = i128::from(self.now.as_nanos()) + self.ahead(clock);
        Instant::from_nanos(shown.clamp(0, u64::MAX.into()) as u64)
    }

    pub(super) fn ahead(&self, clock: Clock) -> i128 {
        match clock {
            Clock::Monotonic => 0,
            Clock::RealTime => self.real_time,
            Clock::BootTime => self.boot_time,
        }
    }

    /// The queue that has something to do next, perhaps, and when, by the monotonic clock: nothing is due anywhere before. Of what is due until some instant:
    /// that may be past, when work has slept. (As long as work runs there is no more of it to be done.)
    pub(super) fn next(&mut self, until: Instant) -> Option<(usize, Instant)> {
        let (now, [monotonic, real_time, boot_time]) = (
            self.now,
            [Clock::Monotonic, Clock::RealTime, Clock::BootTime].map(|clock| self.ahead(clock)),
        );
        let ahead = |queue| match clock_of(queue) {
            Clock::Monotonic => monotonic,
            Clock::RealTime => real_time,
            Clock::BootTime => boot_time,
        };
        let due = |(number, queue): (usize, &mut Queue<Medium>)| {
            let at = i128::from(queue.next_expiry()?.as_nanos()) - ahead(number);
            let at = Instant::from_nanos(u64::try_from(at.max(0)).ok()?);
            (at <= until).then_some((number, now.max(at)))
        };
        let all = self
            .queues
            .iter_mut()
            .enumerate()
            .filter(|(_, queue)| !queue.is_busy());
        // Of several, the first.
        all.filter_map(due).min_by_key(|&(_, at)| at)
    }

    /// What somebody who waits for a queue has to call, since no thread is about to: what is due, if nothing runs. Only a flush waits for such a thing.
    pub(super) fn left_to_wait(&mut self, queue: usize) -> Option<(usize, Instant)> {
        if self.queues[queue].is_busy() || self.is_busy() {
            return None;
        }
        self.next(self.now)
    }

    pub(super) fn has_calls_to_make(&self) -> bool {
        !self.deferring && !self.deferred.is_empty()
    }
}

/// The clock of a queue.
fn clock_of(queue: usize) -> Clock {
    MODES
        .get(queue)
        .map_or(Clock::Monotonic, |&(clock, _)| clock)
}

impl World {
    /// A world at instant zero, which writes down what happens in it if there is a log.
    pub(super) fn new(log: Option<Vec<String>>) -> Self {
        World {
            state: Mutex::new(State {
                queues: [const { Queue::new() }; WORK + 1],
                interrupted: false,
                now: Instant::ZERO,
                real_time: EPOCH.as_nanos().into(),
                boot_time: 0,
                deferred: DeferredQueue::new(),
                deferring: false,
                timers: 0,
                log,
            }),
            ended: Condvar::new(),
            irqs: LineIrqs::without_thread(),
        }
    }

    /// Makes the next call of a queue, at the instant at which [`State::next`] has it. `false`: it was not quite due yet, which now is known better.
    pub(super) fn call<'w>(
        &'w self,
        mut state: MutexGuard<'w, State>,
        queue: usize,
        at: Instant,
    ) -> (MutexGuard<'w, State>, bool) {
        // Nothing is due before, in whichever queue.
        state.now = at;
        let clock = state.read(clock_of(queue));
        let Due::Call(call) = state.queues[queue].take_due(clock) else {
            return (state, false);
        };
        drop(state);
        // SAFETY: just taken out, and `finished` comes next; no lock is held. [QUEUED]
        let call = || unsafe { call.make() };
        if queue == WORK {
            contexts::work(call);
        } else {
            contexts::callback(call);
        }
        state = self.lock();
        state.queues[queue].finished();
        self.ended.notify_all();
        (state, true)
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Makes the calls that were deferred. Not in a callback.
    pub(super) fn run_deferred(&self) {
        let mut state = self.lock();
        while state.has_calls_to_make() {
            let Some(call) = state.deferred.pop() else {
                return;
            };
            state.deferring = true;
            drop(state);
            // SAFETY: each call comes out of the queue once; this is no callback, and the caller may sleep. [QUEUED]
            unsafe { call.make() };
            state = self.lock();
            state.deferring = false;
        }
    }

    pub(super) fn log(&self, what: impl FnOnce() -> String) {
        let mut state = self.lock();
        let now = state.now;
        if let Some(log) = &mut state.log {
            log.push(format!("[{now}] {}", what()));
        }
    }
}

// SAFETY: all access to the queues is under the mutex. `call` makes each call that it takes out with the mutex free, then notes its end
// and wakes all waiters of `ended`. The world is in an `Arc` that outlives the scopes. [PROMISE]
unsafe impl Monitor for World {
    type Size = Medium;

    fn here(&self, mode: TimerMode) -> Result<usize, Error> {
        if mode.may_sleep() {
            return Ok(WORK);
        }
        let mode = (mode.clock, mode.soft);
        let queue = MODES.iter().position(|&of| of == mode);
        queue.ok_or(Error::Unsupported)
    }

    unsafe fn with<R>(&self, queue: usize, f: impl FnOnce(&mut Queue<Medium>) -> R) -> R {
        f(&mut self.lock().queues[queue])
    }

    unsafe fn wait<R>(
        &self,
        queue: usize,
        mut f: impl FnMut(&mut Queue<Medium>) -> Option<R>,
        stalled: &dyn Fn(),
    ) -> R {
        loop {
            let look = |state: &mut State| match f(&mut state.queues[queue]) {
                Some(result) => Some(Some(result)),
                // There is something to be done here.
                None => state.left_to_wait(queue).map(|_| None),
            };
            if let Some(result) = wait(&self.state, &self.ended, look, stalled) {
                return result;
            }
            let mut state = self.lock();
            if let Some((next, at)) = state.left_to_wait(queue) {
                drop(self.call(state, next, at));
            }
        }
    }

    fn alarm(&self, _queue: usize) {
        // Time passes only when told to.
    }
}
