//! The system's clocks, and sleeps that end when they should.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::time::Instant;
use crate::timer::Clock;

/// The clocks of one host: its monotonic one begins with it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clocks {
    start: std::time::Instant,
}

impl Clocks {
    pub(crate) fn new() -> Self {
        Clocks {
            start: std::time::Instant::now(),
        }
    }

    #[inline]
    pub(crate) fn monotonic(&self) -> Instant {
        // 584 years fit.
        Instant::from_nanos(self.start.elapsed().as_nanos() as u64)
    }

    /// `None` for a clock that this system has not.
    pub(crate) fn read(&self, clock: Clock) -> Option<Instant> {
        match clock {
            Clock::Monotonic => Some(self.monotonic()),
            Clock::RealTime => {
                // Before 1970 it is 1970.
                let since = SystemTime::now().duration_since(UNIX_EPOCH);
                Some(Instant::ZERO.saturating_add(since.unwrap_or_default()))
            }
            Clock::BootTime => boot_time(),
        }
    }
}

// (Miri knows this clock as little as the slack below.)
#[cfg(all(target_os = "linux", not(miri)))]
fn boot_time() -> Option<Instant> {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: writes a `timespec` to where it is pointed. [FOREIGN]
    let result = unsafe { libc::clock_gettime(libc::CLOCK_BOOTTIME, &mut time) };
    // Neither part is negative: it is the time since the boot.
    let nanos = (time.tv_sec as u64)
        .checked_mul(1_000_000_000)?
        .checked_add(time.tv_nsec as u64)?;
    (result == 0).then(|| Instant::from_nanos(nanos))
}

#[cfg(any(not(target_os = "linux"), miri))]
fn boot_time() -> Option<Instant> {
    None
}

/// Has the calling thread's sleeps end when they should. Linux lets those of an ordinary thread be late by 50 µs, to wake the machine
/// less often (its timer slack, prctl(2)). Here a timer says itself how late it may be.
pub(crate) fn sleep_exactly() {
    #[cfg(all(target_os = "linux", not(miri)))]
    {
        let nanos: libc::c_ulong = 1;
        // SAFETY: sets a number of the calling thread. If it does not, sleeps are late. [FOREIGN]
        unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, nanos) };
    }
}
