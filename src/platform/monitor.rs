//! The timers of a host: queues, each with a mutex and a thread of its own.

use std::boxed::Box;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::{io, thread};

use core::fmt;
use core::time::Duration;

use crate::error::Error;
use crate::platform::clocks::{self, Clocks};
use crate::platform::contexts;
use crate::time::Instant;
use crate::timer::queue::{Due, Large, Monitor, Queue};
use crate::timer::{Clock, TimerMode};

/// How often a wait that lasts is reported.
const STALL: Duration = Duration::from_secs(1);

/// How often a thread looks at a clock that may be set, or may go on while the machine is suspended, while it waits for that clock.
const LOOK: Duration = Duration::from_secs(1);

/// The timers of a [`Host`](crate::platform::Host).
pub struct HostTimers {
    clocks: Clocks,
    /// For hard timers of the monotonic clock. Their numbers begin with 0.
    own: Box<[Arc<Bank>]>,
    /// One for each other mode, made when the first timer of that mode is registered: see [`other`]. Their numbers come after.
    others: [OnceLock<Arc<Bank>>; 6],
    /// Held while one of them is made.
    making: Mutex<()>,
}

/// A queue, its lock, and what its thread and those who wait sleep on.
struct Bank {
    clocks: Clocks,
    clock: Clock,
    /// Whether its entries may sleep.
    work: bool,
    state: Mutex<State>,
    /// Tells the thread that the next expiry has changed.
    alarm: Condvar,
    /// Tells who waits for an entry that one has ended.
    ended: Condvar,
}

struct State {
    queue: Queue,
    /// Whether the thread should end.
    stop: bool,
}

/// Nothing here runs code of a driver under a lock, so a poisoned one (of a thread that was killed by its own panic) holds nothing
/// broken.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// [`Monitor::wait`] for what is under this mutex, when `ended` is told of the end of each entry.
pub(crate) fn wait<T, R>(
    state: &Mutex<T>,
    ended: &Condvar,
    mut f: impl FnMut(&mut T) -> Option<R>,
    stalled: &dyn Fn(),
) -> R {
    let mut guard = lock(state);
    loop {
        if let Some(result) = f(&mut guard) {
            return result;
        }
        let (again, timeout) = ended
            .wait_timeout(guard, STALL)
            .unwrap_or_else(PoisonError::into_inner);
        guard = again;
        if timeout.timed_out() {
            drop(guard);
            stalled();
            guard = lock(state);
        }
    }
}

/// Which of [`HostTimers::others`] is for this mode, if it is not for the own ones.
#[inline]
fn other(mode: TimerMode) -> Option<usize> {
    if mode.may_sleep() {
        return Some(5);
    }
    match (mode.clock, mode.soft) {
        (Clock::Monotonic, false) => None,
        (Clock::RealTime, false) => Some(0),
        (Clock::BootTime, false) => Some(1),
        (Clock::Monotonic, true) => Some(2),
        (Clock::RealTime, true) => Some(3),
        (Clock::BootTime, true) => Some(4),
    }
}

/// More than there are processors. (Queues are numbered in 16 bits.)
const MOST: usize = 1024;

impl HostTimers {
    /// So many queues, at least one, each with its thread.
    pub(crate) fn start(threads: usize) -> io::Result<Self> {
        if threads > MOST {
            let why = "a host has no more than 1024 timer threads";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        }
        let clocks = Clocks::new();
        let bank = |_| Arc::new(Bank::new(clocks, TimerMode::new()));
        let timers = HostTimers {
            clocks,
            own: (0..threads.max(1)).map(bank).collect(),
            others: [const { OnceLock::new() }; 6],
            making: Mutex::new(()),
        };
        // A failure ends the threads that were started already, when `timers` is dropped.
        for (number, bank) in timers.own.iter().enumerate() {
            bank.start(Some(number))?;
        }
        Ok(timers)
    }

    pub(crate) fn clocks(&self) -> &Clocks {
        &self.clocks
    }

    fn find(&self, queue: usize) -> Option<&Bank> {
        match self.own.get(queue) {
            Some(bank) => Some(bank),
            None => {
                let other = self.others.get(queue - self.own.len())?;
                other.get().map(|bank| &**bank)
            }
        }
    }

    fn bank(&self, queue: usize) -> &Bank {
        match self.find(queue) {
            Some(bank) => bank,
            None => unreachable!("`here` has made it"),
        }
    }

    /// Has one of the others made, if it is not there yet.
    fn make(&self, which: usize, mode: TimerMode) -> Result<(), Error> {
        if self.others[which].get().is_some() {
            return Ok(());
        }
        let _making = lock(&self.making);
        if self.others[which].get().is_none() {
            let bank = Arc::new(Bank::new(self.clocks, mode));
            let started = bank.start(None);
            started.map_err(|error| {
                error
                    .raw_os_error()
                    .map_or(Error::NoMemory, Error::Platform)
            })?;
            let _ = self.others[which].set(bank);
        }
        Ok(())
    }
}

impl Drop for HostTimers {
    fn drop(&mut self) {
        // Every scope holds a clone of its host until it is torn down, so no timer is armed any more. The threads are not
        // joined: this may be one of them.
        let others = self.others.iter().filter_map(OnceLock::get);
        for bank in self.own.iter().chain(others) {
            lock(&bank.state).stop = true;
            bank.alarm.notify_all();
        }
    }
}

impl fmt::Debug for HostTimers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostTimers")
            .field("threads", &self.own.len())
            .finish_non_exhaustive()
    }
}

impl Bank {
    fn new(clocks: Clocks, mode: TimerMode) -> Self {
        Bank {
            clocks,
            clock: mode.clock,
            work: mode.may_sleep(),
            state: Mutex::new(State {
                queue: Queue::new(),
                stop: false,
            }),
            alarm: Condvar::new(),
            ended: Condvar::new(),
        }
    }

    /// Starts its thread. `number` is that of an own one, to which goes what its callbacks start.
    fn start(self: &Arc<Self>, number: Option<usize>) -> io::Result<()> {
        let bank = Arc::clone(self);
        let run = move || {
            if let Some(number) = number {
                contexts::belong_to(number);
            }
            if !bank.work {
                clocks::sleep_exactly();
            }
            bank.run();
        };
        let name = if self.work { "work" } else { "hrtimers" };
        let thread = thread::Builder::new().name(name.into());
        thread.spawn(run).map(drop)
    }

    fn now(&self) -> Instant {
        // A clock that is not there was refused when the timer was registered.
        self.clocks.read(self.clock).unwrap_or_default()
    }

    /// How long to sleep until `at`, or until one looks again.
    fn nap(&self, at: Instant) -> Duration {
        let wait = at.saturating_duration_since(self.now());
        match self.clock {
            Clock::Monotonic => wait,
            // The sleep goes by the monotonic clock.
            Clock::RealTime | Clock::BootTime => wait.min(LOOK),
        }
    }

    /// Calls what falls due, until it is told to stop.
    fn run(&self) {
        let mut state = lock(&self.state);
        while !state.stop {
            match state.queue.take_due(self.now()) {
                Due::Call(call) => {
                    drop(state);
                    // SAFETY: just taken out, and `finished` comes next; no lock is held. [QUEUED]
                    let call = || unsafe { call.make() };
                    if self.work {
                        contexts::work(call);
                    } else {
                        contexts::callback(call);
                    }
                    state = lock(&self.state);
                    state.queue.finished();
                    self.ended.notify_all();
                }
                Due::At(at) => {
                    state = self
                        .alarm
                        .wait_timeout(state, self.nap(at))
                        .unwrap_or_else(PoisonError::into_inner)
                        .0;
                }
                Due::Never => {
                    state = self
                        .alarm
                        .wait(state)
                        .unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }
}

// SAFETY: all access to a queue is under its mutex. Its thread makes each call that it takes out with the mutex free, then notes its end
// and wakes all waiters of `ended`. Mutexes and condition variables are in the host, which outlives its scopes. There is a bank for
// each number that `here` returns. [PROMISE]
unsafe impl Monitor for HostTimers {
    type Size = Large;

    #[inline]
    fn here(&self, mode: TimerMode) -> Result<usize, Error> {
        match (other(mode), self.own.len()) {
            (None, 1) => Ok(0),
            (None, queues) => Ok(contexts::belongs_to() % queues),
            (Some(which), queues) => {
                self.make(which, mode)?;
                Ok(queues + which)
            }
        }
    }

    unsafe fn with<R>(&self, queue: usize, f: impl FnOnce(&mut Queue) -> R) -> R {
        f(&mut lock(&self.bank(queue).state).queue)
    }

    unsafe fn wait<R>(
        &self,
        queue: usize,
        mut f: impl FnMut(&mut Queue) -> Option<R>,
        stalled: &dyn Fn(),
    ) -> R {
        let bank = self.bank(queue);
        wait(
            &bank.state,
            &bank.ended,
            |state| f(&mut state.queue),
            stalled,
        )
    }

    fn alarm(&self, queue: usize) {
        // Anybody can call this, with any number.
        if let Some(bank) = self.find(queue) {
            bank.alarm.notify_one();
        }
    }
}
