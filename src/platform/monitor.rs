//! The timer queue of the hosted platforms, under a mutex.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use core::fmt;
use core::time::Duration;

use crate::timer::queue::{Large, Monitor, Queue};

/// How often a wait that lasts is reported.
const STALL: Duration = Duration::from_secs(1);

/// The timers of a hosted platform, with what else is under the same mutex.
pub struct StdMonitor<T> {
    state: Mutex<State<T>>,
    /// Tells who waits for the next expiry that it has changed.
    pub(crate) alarm: Condvar,
    /// Tells who waits for an entry that one has ended.
    pub(crate) ended: Condvar,
}

pub(crate) struct State<T> {
    pub(crate) queue: Queue,
    pub(crate) rest: T,
}

impl<T> StdMonitor<T> {
    pub(crate) fn new(rest: T) -> Self {
        StdMonitor {
            state: Mutex::new(State {
                queue: Queue::new(),
                rest,
            }),
            alarm: Condvar::new(),
            ended: Condvar::new(),
        }
    }

    /// Nothing here runs code of a driver under the lock, so a poisoned one (of a thread that was killed by its own panic)
    /// holds nothing broken.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> fmt::Debug for StdMonitor<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StdMonitor")
    }
}

// SAFETY: all access to the queue is under the mutex. The platforms that have one make each call that they take out with the mutex free,
// then note its end and wake all waiters of `ended`. Mutex and condition variables are in an `Arc` that outlives the scopes.
unsafe impl<T> Monitor for StdMonitor<T> {
    type Size = Large;

    unsafe fn with<R>(&self, f: impl FnOnce(&mut Queue) -> R) -> R {
        f(&mut self.lock().queue)
    }

    unsafe fn wait<R>(&self, mut f: impl FnMut(&mut Queue) -> Option<R>, stalled: &dyn Fn()) -> R {
        let mut state = self.lock();
        loop {
            if let Some(result) = f(&mut state.queue) {
                return result;
            }
            let (guard, timeout) = self
                .ended
                .wait_timeout(state, STALL)
                .unwrap_or_else(PoisonError::into_inner);
            state = guard;
            if timeout.timed_out() {
                drop(state);
                stalled();
                state = self.lock();
            }
        }
    }

    fn alarm(&self) {
        self.alarm.notify_one();
    }
}
