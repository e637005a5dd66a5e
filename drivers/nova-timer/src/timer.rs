//! Reading the time.

use driver_scope::{Error, Mmio, Platform};

use crate::registers::{High, Low, Ptimer, TIME_0, TIME_1};

/// From one time to the next, in nanoseconds: the low bits of `TIME_0` are not there.
pub const TICK: u64 = 32;

/// The last time that there is, in nanoseconds: the two registers with all their bits set.
pub const END: u64 = (1 << 61) - TICK;

/// The timer subdevice: a copyable handle to its registers. Times are in nanoseconds of the device.
pub struct Timer<'drv, P: Platform> {
    regs: Mmio<'drv, Ptimer, P>,
}

impl<P: Platform> Clone for Timer<'_, P> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<P: Platform> Copy for Timer<'_, P> {}

impl<'drv, P: Platform> Timer<'drv, P> {
    pub(crate) fn new(regs: Mmio<'drv, Ptimer, P>) -> Self {
        Timer { regs }
    }

    /// The time. It has no way to fail, and cannot hang: it is three register reads, whatever the device does.
    ///
    /// It is a time that the counter had between the call and the return. So times do not go back, from one context to another either, as long
    /// as nobody sets the counter.
    ///
    /// A device that is gone reads as [`END`], or as at most 2³² ns before that if it goes during the call: whoever waits for a
    /// time of a vanished device need not wait any more. To tell the two apart is [`try_now`](Timer::try_now)'s business.
    ///
    /// Context: any.
    pub fn now(self) -> u64 {
        // Accesses to one device come in program order; only the last need be ordered against memory.
        let before = self.regs.read_relaxed(TIME_1);
        let low = self.regs.read_relaxed(TIME_0);
        let after = self.regs.read(TIME_1);
        time(before, low, after)
    }

    /// The time, for those who must know that it is one.
    ///
    /// Context: any.
    ///
    /// # Errors
    /// [`Error::Gone`] if the device has vanished.
    pub fn try_now(self) -> Result<u64, Error> {
        let before = self.regs.read_relaxed(TIME_1);
        let low = self.regs.read_relaxed(TIME_0);
        // If it was there at last, it was there before.
        let after = self.regs.read_or_gone(TIME_1)?;
        Ok(time(before, low, after))
    }

    /// The registers, for those who want to read them in another way.
    pub fn registers(self) -> Mmio<'drv, Ptimer, P> {
        self.regs
    }
}

/// A time at which the counter was, from its high word, then its low word, then its high word again.
///
/// NVIDIA's rule is to repeat all that while the high words differ (a comment in `timer_gm107.c` of open-gpu-kernel-modules, "From
/// `dev_timer.ref`"), which a device that answers nonsense could make last for ever. There is no need to: if they
/// differ, the counter has carried in between, and just when it did it was at the new high word and zero. That is a time as good as any other.
fn time(before: High, low: Low, after: High) -> u64 {
    if before == after {
        after.nanos() | low.nanos()
    } else {
        after.nanos()
    }
}
