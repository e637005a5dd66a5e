use core::fmt;
use core::num::NonZero;
use core::time::Duration;

use crate::error::Error;
use crate::platform::Platform;
use crate::time::Instant;
use crate::timer::mode::Clock;

/// What a timer's callback asks for when it returns.
///
/// If somebody started the timer while the callback ran, that start stands, whatever is asked for here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a timer callback must return it"]
pub enum Restart {
    /// Nothing: the timer stays idle until it is started again.
    No,
    /// To expire again at this instant, with the slack of the last start.
    At(Instant),
    /// The callback asked for something impossible, such as a period of zero; the timer stays idle and the platform is
    /// told ([`Event::Refused`](crate::event::Event::Refused)).
    Refused(Error),
}

/// What a timer's callback knows of its expiry.
pub struct TimerContext<'t, P: Platform> {
    platform: &'t P,
    clock: Clock,
    expires: Instant,
    overrun: u64,
}

impl<'t, P: Platform> TimerContext<'t, P> {
    pub(crate) fn new(platform: &'t P, clock: Clock, expires: Instant) -> Self {
        TimerContext {
            platform,
            clock,
            expires,
            overrun: 0,
        }
    }

    pub(crate) fn platform(&self) -> &'t P {
        self.platform
    }

    /// The present, by the timer's clock.
    #[must_use]
    pub fn now(&self) -> Instant {
        now(self.platform, self.clock)
    }

    /// The instant that the timer was armed for; the present is later by its lateness, and by what it was given as slack.
    #[must_use]
    pub fn expires(&self) -> Instant {
        self.expires
    }

    /// How many periods the last [`forward`](TimerContext::forward) had to pass over beyond the one that was due: expiries that came too late to be.
    #[must_use]
    pub fn overrun(&self) -> u64 {
        self.overrun
    }

    /// To expire again in `delay`, counted from now.
    pub fn restart_after(&self, delay: Duration) -> Restart {
        match self.now().checked_add(delay) {
            Some(at) => Restart::At(at),
            None => Restart::Refused(Error::TimeOverflow),
        }
    }

    /// To expire again at the next whole period after the present, counted from the expiry: the way to be periodic with no
    /// drift. See [`overrun`](TimerContext::overrun) for the periods that were missed.
    pub fn forward(&mut self, period: Duration) -> Restart {
        match forward(self.expires, self.now(), period) {
            Ok((at, periods)) => {
                self.overrun = periods.saturating_sub(1);
                Restart::At(at)
            }
            Err(error) => Restart::Refused(error),
        }
    }
}

impl<P: Platform> fmt::Debug for TimerContext<'_, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TimerContext")
            .field("expires", &self.expires)
            .field("overrun", &self.overrun)
            .finish_non_exhaustive()
    }
}

/// The present by a clock that the platform has, as was found when the timer was registered.
#[inline]
pub(crate) fn now<P: Platform>(platform: &P, clock: Clock) -> Instant {
    match clock {
        Clock::Monotonic => platform.now(),
        clock => platform.clock(clock).unwrap_or_default(),
    }
}

/// `from` moved past `now` by whole periods, and by how many; (`from`, 0) if it is past `now` already.
pub(crate) fn forward(
    from: Instant,
    now: Instant,
    period: Duration,
) -> Result<(Instant, u64), Error> {
    // That it is not zero is in its type from here on: the division below has no panic, and the function no end that only a panic reaches.
    let period = NonZero::new(period.as_nanos()).ok_or(Error::ZeroPeriod)?;
    if from > now {
        return Ok((from, 0));
    }
    let period = NonZero::<u64>::try_from(period).map_err(|_| Error::TimeOverflow)?;
    // No overflow but at the very end of the clock, with a period of 1 ns; the `checked_mul` then meets it.
    let periods = ((now.as_nanos() - from.as_nanos()) / period).saturating_add(1);
    periods
        .checked_mul(period.get())
        .and_then(|nanos| from.as_nanos().checked_add(nanos))
        .map(|at| (Instant::from_nanos(at), periods))
        .ok_or(Error::TimeOverflow)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ns(nanos: u64) -> Instant {
        Instant::from_nanos(nanos)
    }

    fn period(nanos: u64) -> Duration {
        Duration::from_nanos(nanos)
    }

    #[test]
    fn forward_counts_whole_periods() {
        assert_eq!(forward(ns(100), ns(100), period(10)), Ok((ns(110), 1)));
        assert_eq!(forward(ns(100), ns(109), period(10)), Ok((ns(110), 1)));
        assert_eq!(forward(ns(100), ns(110), period(10)), Ok((ns(120), 2)));
        assert_eq!(forward(ns(100), ns(99), period(10)), Ok((ns(100), 0)));
    }

    #[test]
    fn forward_refuses_what_cannot_be() {
        assert_eq!(
            forward(ns(0), ns(5), Duration::ZERO),
            Err(Error::ZeroPeriod)
        );
        assert_eq!(
            forward(ns(0), ns(5), Duration::MAX),
            Err(Error::TimeOverflow)
        );
        assert_eq!(
            forward(ns(1), Instant::MAX, period(1)),
            Err(Error::TimeOverflow)
        );
        assert_eq!(
            forward(ns(1), ns(1), period(u64::MAX)),
            Err(Error::TimeOverflow)
        );
    }
}
