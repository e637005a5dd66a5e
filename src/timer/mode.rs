/// A clock that timers go by.
///
/// Instants of different clocks do not compare meaningfully.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Clock {
    /// Counts evenly from a start that the platform chooses, is never set, and stands while the machine is suspended.
    #[default]
    Monotonic,
    /// The time of day: nanoseconds since 1970-01-01 00:00 UTC. It can be set, forward or back.
    ///
    /// A timer expires when the clock shows its instant or a later one, however it got there: at once when it is set beyond, so much later when it
    /// is set back. That goes for a start with a delay, too, which is for an instant of this clock, found out at the start. (On
    /// Linux such a timer becomes a monotonic one. Here that is for the driver to say.) A periodic timer counts the periods that were jumped over as
    /// [overrun](crate::TimerContext::overrun), and after a step back waits for the instant that it would have been due at.
    RealTime,
    /// As the monotonic clock, but goes on while the machine is suspended. What falls due meanwhile expires when it wakes up.
    BootTime,
}

/// How a timer expires: by which clock, and in which context. See [`DriverScope::hrtimer_with`](crate::DriverScope::hrtimer_with).
///
/// What the platform cannot do is refused when the timer is registered.
///
/// ```
/// use driver_scope::{Clock, TimerMode};
/// let mode = TimerMode::new().clock(Clock::BootTime).soft();
/// assert!(mode.soft && !mode.pinned);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub struct TimerMode {
    /// The clock that its instants are of.
    pub clock: Clock,
    /// Whether it gives way to timers that are not soft: it is called after all of those that are due at the same time, or beside them, and
    /// does not hold them up.
    pub soft: bool,
    /// Whether it stays with the processor (the timer thread) on which it is started first, instead of going along with who starts it.
    pub pinned: bool,
    /// Whether it is work.
    sleeping: bool,
}

impl TimerMode {
    /// The monotonic clock, hard, not pinned.
    #[must_use]
    pub const fn new() -> Self {
        TimerMode {
            clock: Clock::Monotonic,
            soft: false,
            pinned: false,
            sleeping: false,
        }
    }

    /// That of [work](crate::work).
    pub(crate) const fn work() -> Self {
        TimerMode {
            sleeping: true,
            ..TimerMode::new()
        }
    }

    /// Whether the callback may sleep: it is [work](crate::work), and the clock is the monotonic one. A platform calls it where it
    /// holds up no timer; or has no such thing, and refuses it.
    #[must_use]
    pub const fn may_sleep(self) -> bool {
        self.sleeping
    }

    /// By this clock.
    #[must_use]
    pub const fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Soft.
    #[must_use]
    pub const fn soft(mut self) -> Self {
        self.soft = true;
        self
    }

    /// Pinned.
    #[must_use]
    pub const fn pinned(mut self) -> Self {
        self.pinned = true;
        self
    }
}

/// A mode in one byte.
#[derive(Clone, Copy)]
pub(crate) struct PackedMode(u8);

impl PackedMode {
    const REAL_TIME: u8 = 1;
    const BOOT_TIME: u8 = 2;
    const SOFT: u8 = 4;
    const PINNED: u8 = 8;
    const SLEEPING: u8 = 16;

    pub(crate) fn new(mode: TimerMode) -> Self {
        let clock = match mode.clock {
            Clock::Monotonic => 0,
            Clock::RealTime => Self::REAL_TIME,
            Clock::BootTime => Self::BOOT_TIME,
        };
        let soft = if mode.soft { Self::SOFT } else { 0 };
        let pinned = if mode.pinned { Self::PINNED } else { 0 };
        let sleeping = if mode.sleeping { Self::SLEEPING } else { 0 };
        PackedMode(clock | soft | pinned | sleeping)
    }

    fn has(self, bit: u8) -> bool {
        self.0 & bit != 0
    }

    /// Whether it is [`TimerMode::new`].
    #[inline(always)]
    pub(crate) fn is_plain(self) -> bool {
        self.0 == 0
    }

    #[inline]
    pub(crate) fn get(self) -> TimerMode {
        TimerMode {
            clock: if self.has(Self::REAL_TIME) {
                Clock::RealTime
            } else if self.has(Self::BOOT_TIME) {
                Clock::BootTime
            } else {
                Clock::Monotonic
            },
            soft: self.has(Self::SOFT),
            pinned: self.has(Self::PINNED),
            sleeping: self.has(Self::SLEEPING),
        }
    }

    pub(crate) fn is_pinned(self) -> bool {
        self.has(Self::PINNED)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_packed_mode_is_the_mode() {
        for clock in [Clock::Monotonic, Clock::RealTime, Clock::BootTime] {
            for bits in 0..8 {
                let [soft, pinned, sleeping] = [1, 2, 4].map(|bit| bits & bit != 0);
                let mode = TimerMode {
                    clock,
                    soft,
                    pinned,
                    sleeping,
                };
                assert_eq!(PackedMode::new(mode).get(), mode);
                assert_eq!(PackedMode::new(mode).is_pinned(), pinned);
                assert_eq!(PackedMode::new(mode).is_plain(), mode == TimerMode::new());
            }
        }
    }
}
