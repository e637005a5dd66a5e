//! Being woken at a time of the device.

use core::time::Duration;

use driver_scope::{DriverScope, Error, HrTimer, Lock, Platform, Restart};

use crate::timer::{Timer, END, TICK};

/// The shortest time between two looks at the device, should its clock be slow, or stand.
const PAUSE: Duration = Duration::from_micros(1);

/// An alarm at a time of the device: a copyable handle.
///
/// It is an hrtimer, which is set for when the device should be there, and then looks. Where the device's clock is slower than the
/// platform's, it looks again; where it is faster, the alarm is late by the difference.
///
/// Nothing here ends it. Armed or ringing, it ends with its scope, before the registers go.
pub struct Alarm<'drv, P: Platform> {
    timer: Timer<'drv, P>,
    state: &'drv Lock<State, P>,
    hrtimer: HrTimer<'drv, P>,
}

impl<P: Platform> Clone for Alarm<'_, P> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<P: Platform> Copy for Alarm<'_, P> {}

#[derive(Default)]
struct State {
    due: Option<u64>,
    last: Option<Result<Ring, Error>>,
}

/// An alarm that has rung. Times are in nanoseconds of the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ring {
    /// When it should have.
    pub due: u64,
    /// When it did: not before.
    pub at: u64,
}

impl<'drv, P: Platform> Alarm<'drv, P> {
    pub(crate) fn new(scope: &DriverScope<'drv, P>, timer: Timer<'drv, P>) -> Result<Self, Error> {
        let state = scope.named("alarm").own(Lock::new(State::default()))?;
        let hrtimer = scope.named("alarm").hrtimer(move |t| {
            let mut state = state.lock();
            let Some(due) = state.due else {
                return Restart::No;
            };
            state.last = Some(match timer.try_now() {
                Ok(now) if now < due => return t.restart_after(until(due, now).max(PAUSE)),
                Ok(now) => Ok(Ring { due, at: now }),
                Err(gone) => Err(gone),
            });
            state.due = None;
            Restart::No
        })?;
        Ok(Alarm {
            timer,
            state,
            hrtimer,
        })
    }

    /// Sets the alarm, whether or not it was set before. For a time that is past it rings at once.
    ///
    /// Context: any.
    ///
    /// # Errors
    /// [`Error::Gone`] if the device has vanished: then there is no telling how long to wait. [`Error::TimeOverflow`] for a time after [`END`].
    /// [`Error::Closed`] when the driver is being removed. The alarm is then as it was.
    pub fn set(self, due: u64) -> Result<(), Error> {
        if due > END {
            return Err(Error::TimeOverflow);
        }
        let mut state = self.state.lock();
        let now = self.timer.try_now()?;
        self.hrtimer.start(until(due, now))?;
        state.due = Some(due);
        Ok(())
    }

    /// Takes the alarm back. If it is ringing at this moment, it has rung.
    ///
    /// Context: any.
    pub fn clear(self) {
        // The hrtimer will find that nothing is due.
        self.state.lock().due = None;
    }

    /// Whether the alarm is set and has not rung.
    pub fn is_set(self) -> bool {
        self.state.lock().due.is_some()
    }

    /// What became of the last alarm that was not taken back: it rang, or the device had gone when it should have ([`Error::Gone`]).
    pub fn last(self) -> Option<Result<Ring, Error>> {
        self.state.lock().last
    }
}

/// How long from one time until another can be read: none if it is past.
fn until(due: u64, now: u64) -> Duration {
    // No overflow: nothing is due after `END`, which is a whole number of ticks.
    Duration::from_nanos(due.next_multiple_of(TICK).saturating_sub(now))
}
