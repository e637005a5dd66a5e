//! Sleeps for `async` code: futures that end with their scope and need no runtime of this crate.

use core::fmt;
use core::future::Future;
use core::panic::Location;
use core::time::Duration;

use crate::error::Error;
use crate::platform::Platform;
use crate::scope::DriverScope;
use crate::time::Instant;

mod future;
mod slot;
mod timeout;
mod waker;

pub use future::Sleep;
pub use timeout::Timeout;

use slot::{Pool, Slot};

/// Makes sleeps: a copyable handle, whose places for pending sleeps the scope owns.
///
/// Its futures run on any executor, and so on none of this crate's. They borrow `'drv`: what holds one ends before the scope does, or is forgotten, which is
/// harmless. So a task that must be `'static` cannot hold one; it *polls* one that lies in the driver's data, through a [`Port`](crate::Port), as
/// `examples/sleep-embassy.rs` shows. `block_on` of a local executor takes them as they are.
///
/// ```
/// use core::future::Future;
/// use core::pin::pin;
/// use core::task::{Context, Poll, Waker};
/// use driver_scope::{enter, platform::Sim, Error, Units};
///
/// let sim = Sim::new();
/// sim.may_sleep(|cx| {
///     enter(sim.clone(), cx, &(), |(), scope| {
///         let sleeper = scope.sleeper(2)?; // at most two sleeps are pending at once
///         let mut task = pin!(async move {
///             sleeper.sleep(10.millis()).await?;
///             let never = core::future::pending::<()>();
///             sleeper.timeout(5.millis(), never).await
///         });
///         let mut cx = Context::from_waker(Waker::noop()); // an executor's
///         assert!(task.as_mut().poll(&mut cx).is_pending());
///         scope.sleep(10.millis());
///         assert!(task.as_mut().poll(&mut cx).is_pending());
///         scope.sleep(5.millis());
///         assert_eq!(task.as_mut().poll(&mut cx), Poll::Ready(Err(Error::TimedOut)));
///         Ok::<(), Error>(())
///     })
/// })?;
/// # Ok::<(), Error>(())
/// ```
///
/// # Places
/// A sleep takes its place when it is first polled and cannot end at once, and gives it back when it ends or is dropped, without an allocation in either. If all are taken the
/// sleep ends at once with [`Error::TooManySleeps`]: nothing queues for a place, since that could wait for a sleep that was forgotten. A forgotten sleep keeps its place until
/// the scope ends.
///
/// # The end of the scope
/// When the scope closes, sleeps end with [`Error::Closed`]: those that are pending have their tasks woken, and later ones end at once. That comes before the remove waits
/// for calls by a [`Port`](crate::Port), so a call that blocks on a sleep comes out.
///
/// # Context
/// Any. A waker's `clone`, `wake` and `drop` are called with no lock held. Its `wake` runs in the callback of a timer, so it must not block.
pub struct Sleeper<'drv, P: Platform> {
    /// Covariant, as [`HrTimer`](crate::HrTimer) is: nothing of it leads to the scope, and what it takes (a waker) is `'static`.
    pool: &'drv Pool<P>,
}

impl<P: Platform> Clone for Sleeper<'_, P> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<P: Platform> Copy for Sleeper<'_, P> {}

impl<'drv, P: Platform> DriverScope<'drv, P> {
    /// Makes a sleeper with places for so many pending sleeps: a timer each. Sleeping then allocates nothing.
    ///
    /// ```
    /// # use driver_scope::*;
    /// # fn probe<P: Platform>(scope: &DriverScope<'_, P>) -> Result<(), Error> {
    /// let sleeper = scope.named("resets").sleeper(4)?;
    /// let reset = async move {
    ///     // Assert the reset line; give the device time; and so on.
    ///     sleeper.sleep(10.micros()).await
    /// };
    /// # let _ = reset; Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::NoMemory`], [`Error::Closed`], or what the platform lacks. Places that were made by then stay unused in the scope.
    #[track_caller]
    pub fn sleeper(&self, places: usize) -> Result<Sleeper<'drv, P>, Error> {
        let name = self.next_name(Location::caller());
        // The next registration is called as the sleeper is: a label is used up by each.
        let relabel = || name.label().map(|label| self.named(label));
        relabel();
        let pool = self.own(Pool::new(self))?;
        for _ in 0..places {
            relabel();
            let (timer, vacant) = self.vacant_hrtimer()?;
            // Made after its timer, so the timer is there for as long as the place is; see `Slot::timer`.
            let slot = Slot::register(self, name, timer)?;
            vacant.set(self, move |_| slot.expired())?;
            pool.put(slot);
        }
        Ok(Sleeper { pool })
    }
}

impl<'drv, P: Platform> Sleeper<'drv, P> {
    /// Sleeps: the future ends `delay` from *now*, whenever it is first polled, or just after.
    ///
    /// It ends with [`Error::Closed`] when the scope closes; [`Error::TooManySleeps`]; [`Error::TimeOverflow`].
    pub fn sleep(self, delay: Duration) -> Sleep<'drv, P> {
        Sleep::new(self.pool, self.now().checked_add(delay))
    }

    /// Sleeps until an instant; one that is past means at once. It ends as [`sleep`](Sleeper::sleep) does.
    pub fn sleep_until(self, at: Instant) -> Sleep<'drv, P> {
        Sleep::new(self.pool, Some(at))
    }

    /// Sets a limit to a future: if it has not ended `delay` from *now*, the whole ends with [`Error::TimedOut`]. It also ends with what a
    /// [`sleep`](Sleeper::sleep) ends with.
    ///
    /// The future is polled first, so it wins if both end at once, and one that ends at its first poll needs no place. It is dropped with the `Timeout`.
    pub fn timeout<F: Future>(self, delay: Duration, future: F) -> Timeout<'drv, P, F> {
        Timeout::new(self.sleep(delay), future)
    }

    /// The present, on the clock of the scope's timers.
    #[must_use]
    pub fn now(self) -> Instant {
        self.pool.now()
    }
}

impl<P: Platform> fmt::Debug for Sleeper<'_, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sleeper")
    }
}
