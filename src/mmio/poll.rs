//! Waiting for a register to change.

use core::fmt;
use core::time::Duration;

use crate::context::MaySleep;
use crate::error::Error;
use crate::mmio::{Holds, Mmio, Place, Readable, Registers};
use crate::platform::Platform;

/// How to wait for a device: how often to look, for how long, and whether asleep in between.
///
/// ```
/// # use driver_scope::*;
/// registers! {
///     pub Device: 0x10 {
///         /// Bit 0: still at it.
///         0x00 => ro STATUS: u32 where !0 is gone,
///     }
/// }
///
/// fn wait<P: Platform>(regs: Mmio<'_, Device, P>, platform: &P, cx: MaySleep<'_>) -> Result<u32, Error> {
///     regs.poll(STATUS, Poll::sleeping(platform, cx, 10.micros(), 2.millis()), |status| status & 1 == 0)
/// }
/// ```
pub struct Poll<'a, 'c, P> {
    platform: &'a P,
    /// With it: sleeping.
    cx: Option<MaySleep<'c>>,
    every: Duration,
    within: Duration,
}

impl<P> Clone for Poll<'_, '_, P> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<P> Copy for Poll<'_, '_, P> {}

impl<P> fmt::Debug for Poll<'_, '_, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Poll")
            .field("sleeps", &self.cx.is_some())
            .field("every", &self.every)
            .field("within", &self.within)
            .finish_non_exhaustive()
    }
}

impl<'a, 'c, P: Platform> Poll<'a, 'c, P> {
    /// Sleeps between looks. What is looked for should take as long as a sleep at least: some ten microseconds.
    ///
    /// A pause of zero is taken for one nanosecond. A time-out of zero means one look.
    #[must_use]
    pub fn sleeping(platform: &'a P, cx: MaySleep<'c>, every: Duration, within: Duration) -> Self {
        Poll {
            platform,
            cx: Some(cx),
            every,
            within,
        }
    }

    /// Keeps the CPU busy between looks, so it is for any context, and for short waits.
    ///
    /// A pause of zero is taken for one nanosecond. A time-out of zero means one look.
    #[must_use]
    pub fn spinning(platform: &'a P, every: Duration, within: Duration) -> Self {
        Poll {
            platform,
            cx: None,
            every,
            within,
        }
    }
}

impl<P: Platform> Poll<'_, '_, P> {
    /// Calls `look` until it finds what is looked for. At least once, and once more when the time is over: whoever is held up between two
    /// looks does not take a device for dead that is done.
    ///
    /// # Errors
    /// [`Error::TimedOut`]; or what `look` returns.
    pub fn until<T>(self, mut look: impl FnMut() -> Result<Option<T>, Error>) -> Result<T, Error> {
        let deadline = self.platform.now().saturating_add(self.within);
        loop {
            // Before the look: one that is made after the deadline is the last.
            let left = deadline.saturating_duration_since(self.platform.now());
            if let Some(found) = look()? {
                return Ok(found);
            }
            if left.is_zero() {
                return Err(Error::TimedOut);
            }
            let pause = self
                .every
                .clamp(Duration::from_nanos(1), left.max(Duration::from_nanos(1)));
            match self.cx {
                Some(cx) => self.platform.sleep(cx, pause),
                None => self.platform.delay(pause),
            }
        }
    }
}

impl<R: Registers, P: Platform> Mmio<'_, R, P> {
    /// Reads a register until `done` says that it is as expected, and returns it then.
    ///
    /// Context: that of the [`Poll`].
    ///
    /// # Errors
    /// [`Error::TimedOut`]; [`Error::Gone`] when the device has vanished, as far as the register (`where !0 is gone`) or the
    /// [platform](crate::platform::Bus::vanished) tells.
    pub fn poll<G: Place<R>>(
        self,
        register: G,
        how: Poll<'_, '_, P>,
        mut done: impl FnMut(<G::Content as Holds>::Value) -> bool,
    ) -> Result<<G::Content as Holds>::Value, Error>
    where
        G::Content: Readable<G::Item>,
    {
        how.until(|| {
            self.look(register)
                .map(|value| done(value).then_some(value))
        })
    }
}
