//! The same read as in `drivers/nova-timer`, for somebody who may outlive the driver.

use driver_scope::{Devres, Mmio, Platform};
use nova_timer::registers::{Ptimer, TIME_0, TIME_1};

/// The timer's registers behind a `Devres`, as BAR 0 was in the RFC: `'static`, cloneable, for any thread, and revoked when the driver goes.
///
/// A driver would not do this for itself. It is for what must be able to outlive it.
pub struct OutsideTimer<P: Platform> {
    pub registers: Devres<Mmio<'static, Ptimer, P>, P>,
}

impl<P: Platform> OutsideTimer<P> {
    /// The time, unless the driver is gone. Each caller has to have an answer to that.
    ///
    /// The check is made once for the three reads; in between the registers stay, and a remove waits. That is the granularity that the RFC
    /// chose, too.
    pub fn now(&self) -> Option<u64> {
        let guard = self.registers.try_access()?;
        let regs = guard.get();
        let before = regs.read_relaxed(TIME_1);
        let low = regs.read_relaxed(TIME_0);
        let after = regs.read(TIME_1);
        Some(if before == after {
            after.nanos() | low.nanos()
        } else {
            after.nanos()
        })
    }
}
