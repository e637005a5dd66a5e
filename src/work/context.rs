use core::fmt;
use core::time::Duration;

use crate::context::MaySleep;
use crate::error::Error;
use crate::platform::Platform;
use crate::time::Instant;
use crate::timer::Restart;

/// What the callback of work knows, and what it may do.
///
/// It holds where the callback runs and nowhere else, as the proof in it does: it is neither `Send` nor `Sync`.
pub struct WorkContext<'w, P: Platform> {
    platform: &'w P,
    cx: MaySleep<'w>,
    queued_for: Instant,
}

impl<'w, P: Platform> WorkContext<'w, P> {
    pub(super) fn new(platform: &'w P, cx: MaySleep<'w>, queued_for: Instant) -> Self {
        WorkContext {
            platform,
            cx,
            queued_for,
        }
    }

    /// Proof that the callback may sleep.
    #[must_use]
    pub fn may_sleep(&self) -> MaySleep<'w> {
        self.cx
    }

    /// Waits. Other work may have to wait as well, timers do not.
    pub fn sleep(&self, delay: Duration) {
        self.platform.sleep(self.cx, delay);
    }

    /// The present, by the monotonic clock.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.platform.now()
    }

    /// The instant that the work was queued for: that of [`queue`](crate::Work::queue), or later by the delay. The present is later by what the
    /// work had to wait for others.
    #[must_use]
    pub fn queued_for(&self) -> Instant {
        self.queued_for
    }

    /// To be called again, behind the work that is queued already.
    pub fn requeue(&self) -> Restart {
        Restart::At(self.now())
    }

    /// To be called again `delay` from now.
    pub fn requeue_after(&self, delay: Duration) -> Restart {
        match self.now().checked_add(delay) {
            Some(at) => Restart::At(at),
            None => Restart::Refused(Error::TimeOverflow),
        }
    }
}

impl<P: Platform> fmt::Debug for WorkContext<'_, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkContext")
            .field("queued_for", &self.queued_for)
            .finish_non_exhaustive()
    }
}
