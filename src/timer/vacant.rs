use core::fmt;
use core::marker::PhantomData;
use core::ptr::NonNull;

use crate::error::Error;
use crate::platform::Platform;
use crate::scope::DriverScope;
use crate::timer::context::{Restart, TimerContext};
use crate::timer::node::{set_callback, TimerNode};

/// A timer's place for a callback: see [`DriverScope::vacant_hrtimer`].
///
/// Not `Copy`, so that it is filled once; invariant in `'drv`, so that what is put in may borrow from this scope and from
/// nothing shorter.
#[must_use = "a timer without a callback cannot be started"]
pub struct Vacant<'drv, P: Platform> {
    node: NonNull<TimerNode<P>>,
    _brand: PhantomData<fn(&'drv ()) -> &'drv ()>,
}

impl<'drv, P: Platform> Vacant<'drv, P> {
    pub(crate) fn of(node: NonNull<TimerNode<P>>) -> Self {
        Vacant {
            node,
            _brand: PhantomData,
        }
    }

    /// Gives the timer its callback. The same rules hold for it as in [`DriverScope::hrtimer`].
    ///
    /// # Errors
    /// [`Error::NoMemory`]. The callback is then dropped, and the timer stays without one for good.
    pub fn set<F>(self, scope: &DriverScope<'drv, P>, callback: F) -> Result<(), Error>
    where
        F: FnMut(&mut TimerContext<'_, P>) -> Restart + Send + 'drv,
    {
        // SAFETY: the node is registered in this very scope (both carry its brand), and a vacant is used up by this, so the
        // callback is set once. [BRAND, LISTED]
        unsafe { set_callback(scope, self.node, callback) }
    }
}

impl<P: Platform> fmt::Debug for Vacant<'_, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vacant")
    }
}
