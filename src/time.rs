//! Points in time, as the platform's monotonic clock counts them, and short ways to write a duration.

use core::fmt;
use core::time::Duration;

/// A point on the platform's monotonic clock: nanoseconds since a start that the platform chooses.
///
/// 64 bits of nanoseconds last 584 years. Instants of different platform values do not compare meaningfully.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(transparent)]
pub struct Instant(u64);

impl Instant {
    /// The first instant of the clock.
    pub const ZERO: Instant = Instant(0);
    /// The last instant that can be named.
    pub const MAX: Instant = Instant(u64::MAX);

    /// The instant `nanos` nanoseconds after the clock's start.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Instant(nanos)
    }

    /// Nanoseconds since the clock's start.
    #[must_use]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// This instant plus `delay`, or `None` past [`Instant::MAX`].
    #[must_use]
    pub fn checked_add(self, delay: Duration) -> Option<Instant> {
        let delay = u64::try_from(delay.as_nanos()).ok()?;
        self.0.checked_add(delay).map(Instant)
    }

    /// This instant plus `delay`, stopping at [`Instant::MAX`].
    #[must_use]
    pub fn saturating_add(self, delay: Duration) -> Instant {
        self.checked_add(delay).unwrap_or(Instant::MAX)
    }

    /// How long after `earlier` this is; zero if it is not after it.
    #[must_use]
    pub const fn saturating_duration_since(self, earlier: Instant) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Seconds with nine decimals, as kernels log them.
impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}.{:09}",
            self.0 / 1_000_000_000,
            self.0 % 1_000_000_000
        )
    }
}

/// `50.micros()`: the way to write a duration in a driver.
pub trait Units {
    /// So many nanoseconds.
    fn nanos(self) -> Duration;
    /// So many microseconds.
    fn micros(self) -> Duration;
    /// So many milliseconds.
    fn millis(self) -> Duration;
    /// So many seconds.
    fn secs(self) -> Duration;
}

impl Units for u64 {
    #[inline]
    fn nanos(self) -> Duration {
        Duration::from_nanos(self)
    }
    #[inline]
    fn micros(self) -> Duration {
        Duration::from_micros(self)
    }
    #[inline]
    fn millis(self) -> Duration {
        Duration::from_millis(self)
    }
    #[inline]
    fn secs(self) -> Duration {
        Duration::from_secs(self)
    }
}
