//! Values that the scope owns: their `Drop` runs in the destroy phase.

use core::mem::ManuallyDrop;

use crate::event::Kind;
use crate::platform::Platform;
use crate::scope::registry::Registration;
use crate::sync::UnsafeCell;

pub(crate) struct Owned<T> {
    value: UnsafeCell<ManuallyDrop<T>>,
}

impl<T> Owned<T> {
    pub(crate) fn new(value: T) -> Self {
        Owned {
            value: UnsafeCell::new(ManuallyDrop::new(value)),
        }
    }

    /// The value, for as long as the scope lasts.
    ///
    /// # Safety
    /// The reference is not used after `destroy`.
    pub(crate) unsafe fn get<'drv>(&self) -> &'drv T {
        // SAFETY: the value is only written at `destroy`, after which, says the caller, the reference is not used. [CALLER]
        self.value.with(|value| unsafe { &**value })
    }

    pub(crate) fn into_inner(self) -> T {
        ManuallyDrop::into_inner(self.value.into_inner())
    }
}

// SAFETY: an owned value is no activity: nothing of it is ever called before its drop. [SHUT]
unsafe impl<P: Platform, T> Registration<P> for Owned<T> {
    const KIND: Kind = Kind::Owned;

    unsafe fn destroy(&self) -> bool {
        // SAFETY: called once. No `&'drv T` is used any more: of the driver only `Drop` code is left to run, that of owned
        // values runs last, and `T: 'static` cannot hold a `&'drv` (see `DriverScope::own`). [UNSEEN, PHASES]
        self.value
            .with_mut(|value| unsafe { ManuallyDrop::drop(&mut *value) });
        true
    }
}
