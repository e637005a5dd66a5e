//! High-resolution timers that end with their scope.
//!
//! # Late and missed
//! A timer never expires early. It expires late when its thread, or its processor, is busy or asleep at that time.
//!
//! - **What a late callback sees.** [`TimerContext::expires`] is the instant that the timer was armed for, however late it is;
//!   [`TimerContext::now`] is the present. The difference is how late it is.
//! - **A callback that overruns its period** is not called for each period that went by: [`TimerContext::forward`] goes on with the next whole one
//!   after the present, and [`TimerContext::overrun`] is how many it passed over. Those are *missed*. A period is counted from the
//!   expiry, so the ones after are where they would have been.
//! - **An expiry is not lost.** What comes before the callback has begun to run for the one before replaces it, as a start does. One that
//!   meets the callback running, which only a platform with several processors or timer threads lets happen, makes it run once more when it
//!   returns; several during one run are *merged* into one more. `expires` is then the instant at which that run begins.
//! - **A callback that blocks** holds up all other timers of its thread, or its processor. It shows as lateness of theirs, and as the longest run of
//!   its own.
//! - **A suspended machine.** [`Clock::Monotonic`] stands while the machine is suspended, as on Linux: a timer has as long to go after as it had before, nothing is
//!   late, no period is missed. [`Clock::BootTime`] goes on: what fell due meanwhile expires at the resume, late, and `forward` tells the periods.
//! - **A clock that jumps.** Only [`Clock::RealTime`] is set. What is past by the clock as it is now expires at once; lateness is told by the timer's own clock, so a step forward shows
//!   as lateness.
//!
//! All this is counted for each timer: runs, missed, merged, the latest run and the longest. [`inspect`](crate::inspect) shows it.

use core::fmt;
use core::marker::PhantomData;
use core::panic::Location;
use core::ptr::NonNull;
use core::time::Duration;

use crate::context::MaySleep;
use crate::error::Error;
use crate::event::Name;
use crate::platform::{Arm, Platform, TryCancel};
use crate::scope::DriverScope;
use crate::time::Instant;

mod context;
pub(crate) mod counters;
mod mode;
pub(crate) mod node;
pub mod queue;
mod vacant;

pub use context::{Restart, TimerContext};
pub use mode::{Clock, TimerMode};
pub use vacant::Vacant;

use node::TimerNode;

/// A timer of a scope, as its driver holds it: a copyable name for something that the scope owns.
///
/// Dropping, copying or forgetting it changes nothing; the timer ends with its scope, whose teardown stops it and waits for
/// its callback.
///
/// # Context
/// All but [`cancel`](HrTimer::cancel) work anywhere, in callbacks too: a callback may start, restart or cancel any timer, its own included.
/// The callback of one timer never runs beside itself: what expires meanwhile runs after it.
pub struct HrTimer<'drv, P: Platform> {
    node: NonNull<TimerNode<P>>,
    /// Covariant: a shorter name for the same timer is harmless, since nothing that can be done with it takes a callback or
    /// leads to the scope.
    _scope: PhantomData<&'drv TimerNode<P>>,
}

impl<P: Platform> Clone for HrTimer<'_, P> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<P: Platform> Copy for HrTimer<'_, P> {}

// SAFETY: a handle is a shared reference to a node, whose methods are callable from any context at the same time: its state is
// atomic or the platform's, and its callback is `Send` and run by one context at a time. [SHARED]
unsafe impl<P: Platform> Send for HrTimer<'_, P> {}
// SAFETY: as above. [SHARED]
unsafe impl<P: Platform> Sync for HrTimer<'_, P> {}

impl<'drv, P: Platform> DriverScope<'drv, P> {
    /// Makes a timer, not started, of the monotonic clock. The callback may borrow from the scope, and may keep state of its own.
    ///
    /// Context of the callback: that of the platform's timers; on a kernel a hard interrupt. It must not block, and nothing
    /// that waits can be called in it: it has no [`MaySleep`].
    ///
    /// # Errors
    /// [`Error::NoMemory`], [`Error::Closed`], or what the platform lacks. The callback is then dropped.
    ///
    /// # Edition 2021
    /// A closure captures the *fields* that it mentions. One that uses `guard.0` and not `guard` leaves the guard behind, to be
    /// dropped at the end of `probe`; mention the whole (`let guard = &guard;`) if its `Drop` matters.
    #[track_caller]
    pub fn hrtimer<F>(&self, callback: F) -> Result<HrTimer<'drv, P>, Error>
    where
        F: FnMut(&mut TimerContext<'_, P>) -> Restart + Send + 'drv,
    {
        self.hrtimer_with(TimerMode::new(), callback)
    }

    /// The same with a mode: another clock, soft, or pinned to a processor.
    ///
    /// ```
    /// # use driver_scope::{enter, Clock, Restart, TimerMode, Units, platform::Sim};
    /// # let sim = Sim::new();
    /// # sim.may_sleep(|cx| enter(sim.clone(), cx, &(), |_, scope| {
    /// let nightly = scope.hrtimer_with(TimerMode::new().clock(Clock::RealTime), |t| t.forward(86_400.secs()))?;
    /// nightly.start(1.secs())?;
    /// # Ok::<(), driver_scope::Error>(())
    /// # })).unwrap();
    /// ```
    ///
    /// # Errors
    /// As for [`hrtimer`](DriverScope::hrtimer); [`Error::Unsupported`] for a mode that the platform has not.
    #[track_caller]
    pub fn hrtimer_with<F>(&self, mode: TimerMode, callback: F) -> Result<HrTimer<'drv, P>, Error>
    where
        F: FnMut(&mut TimerContext<'_, P>) -> Restart + Send + 'drv,
    {
        let name = self.next_name(Location::caller());
        let node = TimerNode::register_with(self, name, mode)?;
        // SAFETY: just registered, and no other handle to it exists that could start it. [LISTED, ALONE]
        unsafe { node::set_callback(self, node, callback)? };
        Ok(HrTimer::of(node))
    }

    /// Makes a timer whose callback comes later: for timers that start each other.
    ///
    /// ```
    /// # use driver_scope::{enter, Restart, Units, platform::Sim};
    /// # let sim = Sim::new();
    /// # sim.may_sleep(|cx| enter(sim.clone(), cx, &(), |_, scope| {
    /// let (on, vacant) = scope.vacant_hrtimer()?;
    /// let off = scope.hrtimer(move |_| { let _ = on.start(10.millis()); Restart::No })?;
    /// vacant.set(scope, move |_| { let _ = off.start(5.millis()); Restart::No })?;
    /// on.start(1.millis())?;
    /// # Ok::<(), driver_scope::Error>(())
    /// # })).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`Error::NoMemory`], [`Error::Closed`], or what the platform lacks.
    #[track_caller]
    pub fn vacant_hrtimer(&self) -> Result<(HrTimer<'drv, P>, Vacant<'drv, P>), Error> {
        self.vacant_hrtimer_with(TimerMode::new())
    }

    /// The same with a mode: see [`hrtimer_with`](DriverScope::hrtimer_with).
    ///
    /// # Errors
    /// As for [`vacant_hrtimer`](DriverScope::vacant_hrtimer); [`Error::Unsupported`] for a mode that the platform has not.
    #[track_caller]
    pub fn vacant_hrtimer_with(
        &self,
        mode: TimerMode,
    ) -> Result<(HrTimer<'drv, P>, Vacant<'drv, P>), Error> {
        let name = self.next_name(Location::caller());
        let node = TimerNode::register_with(self, name, mode)?;
        Ok((HrTimer::of(node), Vacant::of(node)))
    }
}

impl<P: Platform> HrTimer<'_, P> {
    fn of(node: NonNull<TimerNode<P>>) -> Self {
        HrTimer {
            node,
            _scope: PhantomData,
        }
    }

    fn node(&self) -> &TimerNode<P> {
        // SAFETY: the node lives until the scope's memory is freed, after `'drv`, which this handle cannot outlive. [STAYS, BRAND]
        unsafe { self.node.as_ref() }
    }

    /// Starts the timer: it expires `delay` from now, by its clock, whether or not it was started before. Zero means at once (never on
    /// the caller's stack).
    ///
    /// # Errors
    /// [`Error::Closed`] when the scope is closing; [`Error::Vacant`]; [`Error::Panicked`]; [`Error::TimeOverflow`].
    #[inline]
    pub fn start(self, delay: Duration) -> Result<(), Error> {
        self.start_within(delay, Duration::ZERO)
    }

    /// The same with a slack: it expires after `delay` at the earliest, and up to `slack` later, so that the machine is woken once for several timers. All
    /// else goes by the earliest instant ([`expires`](HrTimer::expires), periods), so nothing drifts. A restart
    /// ([`Restart::At`], [`restart`](HrTimer::restart), [`forward`](HrTimer::forward)) keeps the slack; another start has its own.
    ///
    /// A slack beyond the end of the clock ends there.
    ///
    /// # Errors
    /// As for [`start`](HrTimer::start).
    #[inline]
    pub fn start_within(self, delay: Duration, slack: Duration) -> Result<(), Error> {
        let node = self.node();
        let at = node.now().checked_add(delay).ok_or(Error::TimeOverflow)?;
        node.arm_within(at, Some(slack), Arm::Replace)
    }

    /// Starts the timer for an instant of its clock; one that is past means at once.
    ///
    /// # Errors
    /// As for [`start`](HrTimer::start).
    #[inline]
    pub fn start_at(self, at: Instant) -> Result<(), Error> {
        self.node().arm(at, Arm::Replace)
    }

    /// Starts the timer for an instant or up to `slack` later: see [`start_within`](HrTimer::start_within).
    ///
    /// # Errors
    /// As for [`start`](HrTimer::start).
    #[inline]
    pub fn start_at_within(self, at: Instant, slack: Duration) -> Result<(), Error> {
        self.node().arm_within(at, Some(slack), Arm::Replace)
    }

    /// Starts the timer again for the instant that it was last started for, with the same slack.
    ///
    /// # Errors
    /// As for [`start`](HrTimer::start); [`Error::NeverStarted`].
    pub fn restart(self) -> Result<(), Error> {
        let at = self.expires().ok_or(Error::NeverStarted)?;
        self.node().arm_within(at, None, Arm::Replace)
    }

    /// Moves the expiry forward by as many whole periods as it takes to get past the present, starts the timer for that instant,
    /// and returns how many periods were passed over (zero if the expiry was in the future already: then it stays).
    ///
    /// Not atomic against a `start` elsewhere: the later of the two wins. A callback forwards itself with
    /// [`TimerContext::forward`].
    ///
    /// # Errors
    /// As for [`start`](HrTimer::start); [`Error::NeverStarted`]; [`Error::ZeroPeriod`].
    pub fn forward(self, period: Duration) -> Result<u64, Error> {
        let from = self.expires().ok_or(Error::NeverStarted)?;
        let (at, periods) = context::forward(from, self.node().now(), period)?;
        self.node().arm_within(at, None, Arm::Replace)?;
        Ok(periods)
    }

    /// Disarms the timer if that needs no waiting, and says what it found.
    pub fn try_cancel(self) -> TryCancel {
        self.node().try_cancel()
    }

    /// Disarms the timer, waiting for its callback if that runs. A start while it waits, by that callback or elsewhere, is
    /// undone, too. Says whether there was anything to cancel.
    ///
    /// The timer may be started again afterwards. To leave it to the teardown is as good: a driver need not cancel at remove.
    ///
    /// # Errors
    /// [`Error::Deadlock`] inside the timer's own callback.
    ///
    /// # Deadlocks
    /// Hold no lock that the callback takes: nothing here can see that.
    pub fn cancel(self, cx: MaySleep<'_>) -> Result<bool, Error> {
        self.node().cancel(cx)
    }

    /// Whether the timer is armed, or its callback runs.
    #[must_use]
    pub fn is_active(self) -> bool {
        let state = self.node().state();
        state.armed || state.running
    }

    /// The instant that the timer was last started for.
    #[must_use]
    pub fn expires(self) -> Option<Instant> {
        self.node().state().expires
    }

    /// How long until it expires, if it is armed; zero if it is late, or within its slack.
    #[must_use]
    pub fn remaining(self) -> Option<Duration> {
        let state = self.node().state();
        let expires = state.expires.filter(|_| state.armed)?;
        Some(expires.saturating_duration_since(self.node().now()))
    }

    /// How it expires.
    #[must_use]
    pub fn mode(self) -> TimerMode {
        self.node().mode()
    }

    /// The present, by the timer's clock.
    #[must_use]
    pub fn now(self) -> Instant {
        self.node().now()
    }

    /// What the timer is called in reports.
    #[must_use]
    pub fn name(self) -> Name {
        self.node().name()
    }
}

impl<P: Platform> fmt::Debug for HrTimer<'_, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HrTimer")
            .field("name", &self.node().name())
            .field("state", &self.node().state())
            .finish()
    }
}
