//! `on_remove` actions.

use core::mem::ManuallyDrop;

use crate::context::MaySleep;
use crate::event::{Kind, Name, Outcome};
use crate::platform::Platform;
use crate::scope::inner::Core;
use crate::scope::registry::Registration;
use crate::sync::UnsafeCell;

/// An action to run at remove. Its "shut" is to run: the hook phase calls it once, after taking it off the list.
pub(crate) struct Action<F> {
    action: UnsafeCell<ManuallyDrop<F>>,
}

impl<F> Action<F> {
    pub(crate) fn new(action: F) -> Self {
        Action {
            action: UnsafeCell::new(ManuallyDrop::new(action)),
        }
    }

    /// # Safety
    /// Called at most once.
    pub(crate) unsafe fn take(&self) -> F {
        // SAFETY: taken at most once, says the caller. [CALLER]
        self.action
            .with_mut(|action| unsafe { ManuallyDrop::take(&mut *action) })
    }
}

// SAFETY: an action is called from nowhere but its own `shut`. [SHUT]
unsafe impl<P: Platform, F: FnOnce(MaySleep<'_>)> Registration<P> for Action<F> {
    const KIND: Kind = Kind::Action;

    fn shut(&self, core: &Core<P>, name: &Name, cx: MaySleep<'_>) -> Option<Outcome> {
        // SAFETY: the hook phase takes each entry off its list before this call, and nothing else calls it. [PHASES]
        let action = unsafe { self.take() };
        Some(match core.guarded(Some(name), || action(cx)) {
            Some(()) => Outcome::Ran,
            None => Outcome::Panicked,
        })
    }
}
