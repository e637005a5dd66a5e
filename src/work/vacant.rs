use core::fmt;
use core::marker::PhantomData;

use crate::error::Error;
use crate::platform::Platform;
use crate::scope::DriverScope;
use crate::timer::Restart;
use crate::work::node::{set_callback, WorkNode};
use crate::work::WorkContext;

/// A place for a callback of work: see [`DriverScope::vacant_work`].
///
/// Not `Copy`, so that it is filled once; invariant in `'drv`, so that what is put in may borrow from this scope and from
/// nothing shorter.
#[must_use = "work without a callback cannot be queued"]
pub struct VacantWork<'drv, P: Platform> {
    node: &'drv WorkNode<P>,
    _brand: PhantomData<fn(&'drv ()) -> &'drv ()>,
}

impl<'drv, P: Platform> VacantWork<'drv, P> {
    pub(super) fn of(node: &'drv WorkNode<P>) -> Self {
        VacantWork {
            node,
            _brand: PhantomData,
        }
    }

    /// Gives the work its callback. The same rules hold for it as in [`DriverScope::work`].
    ///
    /// # Errors
    /// [`Error::NoMemory`]. The callback is then dropped, and the work stays without one for good.
    pub fn set<F>(self, scope: &DriverScope<'drv, P>, callback: F) -> Result<(), Error>
    where
        F: FnMut(&mut WorkContext<'_, P>) -> Restart + Send + 'drv,
    {
        // SAFETY: the node is registered in this very scope (both carry its brand), and a vacant is used up by this, so the
        // callback is set once. [BRAND, LISTED]
        unsafe { set_callback(scope, self.node, callback) }
    }
}

impl<P: Platform> fmt::Debug for VacantWork<'_, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VacantWork")
    }
}
