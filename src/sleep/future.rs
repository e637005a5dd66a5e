use core::fmt;
use core::future::Future;
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll};

use crate::error::Error;
use crate::platform::Platform;
use crate::sleep::slot::{Pool, Slot};
use crate::time::Instant;

/// A sleep: see [`Sleeper::sleep`](crate::Sleeper::sleep).
///
/// It may move between tasks and threads: the last that polled it is woken. One that has ended says the same again when it is polled again.
#[must_use = "a future does nothing unless it is awaited"]
pub struct Sleep<'drv, P: Platform> {
    pool: &'drv Pool<P>,
    state: State<'drv, P>,
}

enum State<'drv, P: Platform> {
    /// Not polled yet. It has no place: a future that is made and not awaited costs nothing.
    New(Instant),
    Pending {
        at: Instant,
        /// This sleep's own until it is given back.
        slot: &'drv Slot<P>,
        /// Whether the timer was started.
        armed: bool,
    },
    Over(Result<(), Error>),
}

impl<'drv, P: Platform> Sleep<'drv, P> {
    /// A sleep until `at`; `None`: until after the end of the clock.
    pub(super) fn new(pool: &'drv Pool<P>, at: Option<Instant>) -> Self {
        let state = match at {
            Some(at) => State::New(at),
            None => State::Over(Err(Error::TimeOverflow)),
        };
        Sleep { pool, state }
    }

    /// Ends the sleep, and gives its place back.
    pub(super) fn end(&mut self, result: Result<(), Error>) -> Poll<Result<(), Error>> {
        // The state comes first: what follows drops a waker, which may panic.
        if let State::Pending { slot, .. } = mem::replace(&mut self.state, State::Over(result)) {
            self.pool.give_back(slot);
        }
        Poll::Ready(result)
    }
}

impl<P: Platform> Future for Sleep<'_, P> {
    type Output = Result<(), Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let at = match this.state {
            State::New(at) | State::Pending { at, .. } => at,
            State::Over(result) => return Poll::Ready(result),
        };
        if let Some(result) = this.pool.outcome(at) {
            return this.end(result);
        }
        if let State::New(_) = this.state {
            let Some(slot) = this.pool.take() else {
                return this.end(Err(Error::TooManySleeps));
            };
            this.state = State::Pending {
                at,
                slot,
                armed: false,
            };
        }
        if let State::Pending { slot, armed, .. } = &mut this.state {
            // Before the timer is started: then its expiry finds the waker, and the look below is for later polls.
            slot.register_waker(cx.waker());
            if !*armed {
                if let Err(error) = slot.arm(at) {
                    return this.end(Err(error));
                }
                *armed = true;
            }
        }
        // An expiry, or the close, that came between the look above and the registering has found no waker, or the last task's.
        match this.pool.outcome(at) {
            Some(result) => this.end(result),
            None => Poll::Pending,
        }
    }
}

impl<P: Platform> Drop for Sleep<'_, P> {
    fn drop(&mut self) {
        // With any result: nobody will ask.
        let _ = self.end(Err(Error::Closed));
    }
}

impl<P: Platform> fmt::Debug for Sleep<'_, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.state {
            State::New(at) => write!(f, "Sleep(until {at}, not polled)"),
            State::Pending { at, .. } => write!(f, "Sleep(until {at})"),
            State::Over(result) => write!(f, "Sleep(over: {result:?})"),
        }
    }
}
