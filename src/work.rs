//! Work: callbacks that may sleep, and end with their scope.
//!
//! What a timer or an interrupt finds to be done, and cannot do where it is, it queues. Work is what a timer is, but that its callback runs where one may sleep:
//! it is queued for now or for later, is called once for that, and may ask to be called again.
//!
//! ```
//! use driver_scope::{enter, platform::Sim, Error, Lock, Restart, Units};
//!
//! let sim = Sim::new();
//! sim.may_sleep(|cx| {
//!     enter(sim.clone(), cx, &sim, |sim, scope| {
//!         let resets = scope.own(Lock::<u32, Sim>::new(0))?;
//!         let reset = scope.work(move |w| {
//!             *resets.lock() += 1;
//!             w.sleep(10.millis()); // the device takes its time
//!             Restart::No
//!         })?;
//!         let watchdog = scope.hrtimer(move |_| {
//!             let _ = reset.queue(); // from any context
//!             Restart::No
//!         })?;
//!         watchdog.start(1.millis())?;
//!         sim.advance(20.millis());
//!         assert_eq!(*resets.lock(), 1);
//!
//!         assert!(reset.queue()?);
//!         assert!(!reset.queue()?); // it is pending
//!         reset.flush(cx)?;
//!         assert_eq!(*resets.lock(), 2);
//!         Ok::<(), Error>(())
//!     })
//! })?;
//! # Ok::<(), Error>(())
//! ```
//!
//! # When it runs
//! - Once for each time that it was *newly* queued. To queue what is pending changes nothing; to queue what runs has it run again afterwards. It never runs beside itself.
//! - In the order in which it was queued, by the instants for which that was. A platform may call all work one after the other ([`Host`](crate::platform::Host)
//!   and [`Sim`](crate::platform::Sim) do), so that one that sleeps holds up the rest; it holds up no timer.
//! - Never after teardown, whatever was queued: that cancels it, and waits for it if it runs. A driver need not cancel or flush at remove.
//! - Not any more once it has panicked, where panics are caught: it is reported, and queueing it is [`Error::Panicked`].
//!
//! # What it may do
//! It has a [`MaySleep`] for all that waits ([`WorkContext::may_sleep`]). Still it is a callback: the teardown of its scope waits for it. So a
//! [`Binding`](crate::Binding) that is dropped in it is removed later, and an `unbind` is [`Busy`](crate::Busy), as in a timer; and the `may_sleep` of a
//! platform panics in it.

use core::fmt;
use core::panic::Location;
use core::time::Duration;

use crate::context::MaySleep;
use crate::error::Error;
use crate::event::Name;
use crate::platform::{Arm, Platform, TryCancel};
use crate::scope::DriverScope;
use crate::timer::Restart;

mod context;
mod node;
mod vacant;

pub use context::WorkContext;
pub use vacant::VacantWork;

use node::WorkNode;

/// Work of a scope, as its driver holds it: a copyable name for something that the scope owns.
///
/// Dropping, copying or forgetting it changes nothing; the work ends with its scope, whose teardown cancels it and waits for its callback.
///
/// # Context
/// All but [`cancel`](Work::cancel) and [`flush`](Work::flush) work anywhere, in callbacks too, its own included.
pub struct Work<'drv, P: Platform> {
    /// Covariant: a shorter name for the same work is harmless, since nothing that can be done with it takes a callback or leads
    /// to the scope.
    node: &'drv WorkNode<P>,
}

impl<P: Platform> Clone for Work<'_, P> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<P: Platform> Copy for Work<'_, P> {}

impl<'drv, P: Platform> DriverScope<'drv, P> {
    /// Makes work, not queued. The callback may borrow from the scope, and may keep state of its own.
    ///
    /// Context of the callback: one that may sleep; see [the module](crate::work). It returns [`Restart::No`] when there is nothing to be done until it
    /// is queued again, or asks for more: [`WorkContext::requeue`].
    ///
    /// # Errors
    /// [`Error::NoMemory`], [`Error::Closed`], or what the platform lacks: [`Error::Unsupported`] if it has no work. The callback is then dropped.
    #[track_caller]
    pub fn work<F>(&self, callback: F) -> Result<Work<'drv, P>, Error>
    where
        F: FnMut(&mut WorkContext<'_, P>) -> Restart + Send + 'drv,
    {
        let name = self.next_name(Location::caller());
        let node = WorkNode::register(self, name)?;
        // SAFETY: just registered, and no other handle to it exists that could queue it. [LISTED, ALONE]
        unsafe { node::set_callback(self, node, callback)? };
        Ok(Work { node })
    }

    /// Makes work whose callback comes later: for work that queues each other.
    ///
    /// ```
    /// # use driver_scope::{enter, Restart, Units, platform::Sim};
    /// # let sim = Sim::new();
    /// # sim.may_sleep(|cx| enter(sim.clone(), cx, &(), |_, scope| {
    /// let (fill, vacant) = scope.vacant_work()?;
    /// let drain = scope.work(move |_| { let _ = fill.queue_after(5.millis()); Restart::No })?;
    /// vacant.set(scope, move |_| { let _ = drain.queue(); Restart::No })?;
    /// fill.queue()?;
    /// # Ok::<(), driver_scope::Error>(())
    /// # })).unwrap();
    /// ```
    ///
    /// # Errors
    /// As for [`work`](DriverScope::work).
    #[track_caller]
    pub fn vacant_work(&self) -> Result<(Work<'drv, P>, VacantWork<'drv, P>), Error> {
        let name = self.next_name(Location::caller());
        let node = WorkNode::register(self, name)?;
        Ok((Work { node }, VacantWork::of(node)))
    }
}

impl<P: Platform> Work<'_, P> {
    /// Queues the work for now, unless it is pending: then nothing changes. Says whether it was newly queued. It never runs on the caller's
    /// stack.
    ///
    /// # Errors
    /// [`Error::Closed`] when the scope is closing; [`Error::Vacant`]; [`Error::Panicked`].
    #[inline]
    pub fn queue(self) -> Result<bool, Error> {
        self.queue_after(Duration::ZERO)
    }

    /// The same for later: it is called `delay` from now at the earliest. If it is pending, for whatever instant, nothing changes.
    ///
    /// # Errors
    /// As for [`queue`](Work::queue); [`Error::TimeOverflow`].
    #[inline]
    pub fn queue_after(self, delay: Duration) -> Result<bool, Error> {
        self.node.queue_after(delay, Arm::IfIdle)
    }

    /// Queues the work for `delay` from now, and not for when it is pending, if it is: sooner, or later. Says whether it was newly queued.
    ///
    /// # Errors
    /// As for [`queue_after`](Work::queue_after).
    #[inline]
    pub fn requeue_after(self, delay: Duration) -> Result<bool, Error> {
        self.node.queue_after(delay, Arm::Replace)
    }

    /// Takes the work off its queue if that needs no waiting, and says what it found.
    pub fn try_cancel(self) -> TryCancel {
        self.node.timer().try_cancel()
    }

    /// Takes the work off its queue, waiting for its callback if that runs. What is queued while it waits, by that callback or elsewhere, is
    /// undone, too. Says whether there was anything to cancel.
    ///
    /// The work may be queued again afterwards.
    ///
    /// # Errors
    /// [`Error::Deadlock`] inside the work's own callback.
    ///
    /// # Deadlocks
    /// Hold no lock that the callback takes; and two that cancel each other wait for each other. Nothing here can see that.
    pub fn cancel(self, cx: MaySleep<'_>) -> Result<bool, Error> {
        self.node.timer().cancel(cx)
    }

    /// Waits until the callback has returned that the work was queued for, and any that runs already. What is queued for later is called at once. What is
    /// queued while this waits is not waited for: it ends though the work asks to be called again and again. Says whether there was anything to wait for.
    ///
    /// If the work is cancelled meanwhile or queued for another instant, that ends the wait as well.
    ///
    /// # Errors
    /// [`Error::Deadlock`] inside any callback, that of other work too: a platform may call all work one after the other, and this would wait for its caller.
    ///
    /// # Deadlocks
    /// As for [`cancel`](Work::cancel), with all other work that may be called before.
    pub fn flush(self, cx: MaySleep<'_>) -> Result<bool, Error> {
        self.node.timer().flush(cx)
    }

    /// Whether it is queued, for now or for later. It may be running as well, and will then run again.
    #[must_use]
    pub fn is_pending(self) -> bool {
        self.node.timer().state().armed
    }

    /// Whether its callback runs.
    #[must_use]
    pub fn is_running(self) -> bool {
        self.node.timer().state().running
    }

    /// What the work is called in reports.
    #[must_use]
    pub fn name(self) -> Name {
        self.node.timer().name()
    }
}

impl<P: Platform> fmt::Debug for Work<'_, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Work")
            .field("name", &self.name())
            .field("state", &self.node.timer().state())
            .finish()
    }
}
