use core::fmt;

use crate::irq::node::IrqHead;
use crate::irq::Irq;
use crate::platform::Platform;
use crate::time::Instant;

/// What a handler says of an interrupt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "an interrupt handler must return it"]
pub enum IrqReturn {
    /// It was not from its device, or there was nothing to do.
    None,
    /// It was, and it is done.
    Handled,
    /// It was, and the thread is to see to it: see [`DriverScope::irq_threaded`](crate::DriverScope::irq_threaded). Where there is none, the same as `Handled`.
    WakeThread,
}

/// [`Handled`](IrqReturn::Handled) for `true`.
impl From<bool> for IrqReturn {
    #[inline]
    fn from(ours: bool) -> Self {
        if ours {
            IrqReturn::Handled
        } else {
            IrqReturn::None
        }
    }
}

/// What an interrupt handler knows besides what it has captured.
pub struct IrqContext<'t, P: Platform> {
    head: &'t IrqHead<P>,
}

impl<'t, P: Platform> IrqContext<'t, P> {
    #[inline(always)]
    pub(crate) fn new(head: &'t IrqHead<P>) -> Self {
        IrqContext { head }
    }

    /// The present, by the monotonic clock.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.head.platform().now()
    }

    /// The handler itself, for as long as it runs: to disable it, say, until some work is done.
    #[must_use]
    pub fn irq(&self) -> Irq<'t, P> {
        Irq::of(self.head.into())
    }
}

impl<P: Platform> fmt::Debug for IrqContext<'_, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IrqContext")
            .field("name", &self.head.name())
            .finish_non_exhaustive()
    }
}
