//! Interrupt handlers that end with their scope.

use core::fmt;
use core::marker::PhantomData;
use core::panic::Location;
use core::ptr::NonNull;

use crate::context::MaySleep;
use crate::error::Error;
use crate::event::Name;
use crate::platform::{Irqs, Platform};
use crate::scope::DriverScope;

mod context;
mod node;
mod threaded;

pub use context::{IrqContext, IrqReturn};

use node::IrqHead;

/// A handler on an interrupt line, as its driver holds it: a copyable name for something that the scope owns.
///
/// Dropping, copying or forgetting it changes nothing; the handler ends with its scope, whose teardown takes it off its line and waits for it.
///
/// # Context
/// All but the two that wait work anywhere, in callbacks too, and in the handler itself ([`IrqContext::irq`]).
pub struct Irq<'drv, P: Platform> {
    head: NonNull<IrqHead<P>>,
    /// Covariant: a shorter name for the same handler is harmless, since nothing that can be done with it takes a callback or leads to the scope.
    _scope: PhantomData<&'drv IrqHead<P>>,
}

impl<P: Platform> Clone for Irq<'_, P> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<P: Platform> Copy for Irq<'_, P> {}

// SAFETY: a handle is a shared reference to the head of a node, whose methods are callable from any context at the same time: its state is atomic
// or the platform's. It does not lead to the closure. [SHARED]
unsafe impl<P: Platform> Send for Irq<'_, P> {}
// SAFETY: as above. [SHARED]
unsafe impl<P: Platform> Sync for Irq<'_, P> {}

impl<'drv, P: Platform> DriverScope<'drv, P> {
    /// Puts a handler on an interrupt line, enabled: it may be called before this returns, so the device may be in any state. It may borrow from
    /// the scope, and may keep state of its own; it never runs beside itself.
    ///
    /// On a shared line all handlers are asked. One whose device has not raised the interrupt returns [`IrqReturn::None`].
    ///
    /// ```
    /// use core::sync::atomic::{AtomicU32, Ordering};
    /// use driver_scope::platform::{IrqLine, Sim};
    /// use driver_scope::{enter, IrqReturn, Units};
    ///
    /// let sim = Sim::new();
    /// let line = IrqLine::new();
    /// let seen = AtomicU32::new(0);
    /// sim.may_sleep(|cx| {
    ///     enter(sim.clone(), cx, &(&line, &seen), |&(line, seen), scope| {
    ///         let irq = scope.irq(line, move |_| {
    ///             seen.fetch_add(1, Ordering::Relaxed);
    ///             IrqReturn::Handled
    ///         })?;
    ///         line.raise(); // what a device does
    ///         scope.sleep(1.millis());
    ///         irq.disable();
    ///         line.raise();
    ///         scope.sleep(1.millis());
    ///         assert_eq!(seen.load(Ordering::Relaxed), 1);
    ///         irq.enable(); // what came in between is not lost
    ///         scope.sleep(1.millis());
    ///         Ok::<(), driver_scope::Error>(())
    ///     })
    /// })?;
    /// line.raise(); // nobody is there
    /// sim.advance(1.secs());
    /// assert_eq!(seen.load(Ordering::Relaxed), 2);
    /// # Ok::<(), driver_scope::Error>(())
    /// ```
    ///
    /// Context of the handler: that of the platform's interrupts; on a kernel a hard interrupt. It must not block, and nothing that waits can be
    /// called in it: it has no [`MaySleep`].
    ///
    /// A handler that panics is, where that can be caught, reported ([`Event::Panicked`](crate::event::Event::Panicked)) and from then on as if it were not there.
    ///
    /// # Errors
    /// [`Error::NoMemory`], [`Error::Closed`], or what the platform lacks. The handler is then dropped.
    ///
    /// # Edition 2021
    /// A closure captures the *fields* that it mentions: see [`hrtimer`](DriverScope::hrtimer).
    #[track_caller]
    pub fn irq<F>(&self, line: &<P::Irqs as Irqs>::Line, handler: F) -> Result<Irq<'drv, P>, Error>
    where
        F: FnMut(&mut IrqContext<'_, P>) -> IrqReturn + Send + 'drv,
    {
        let name = self.next_name(Location::caller());
        Ok(Irq::of(node::register(self, name, line, handler)?))
    }
}

impl<P: Platform> Irq<'_, P> {
    fn of(head: NonNull<IrqHead<P>>) -> Self {
        Irq {
            head,
            _scope: PhantomData,
        }
    }

    fn head(&self) -> &IrqHead<P> {
        // SAFETY: the node lives until the scope's memory is freed, after `'drv`, which this handle cannot outlive. [STAYS, BRAND]
        unsafe { self.head.as_ref() }
    }

    /// Has the handler called again, when this was called as often as [`disable`](Irq::disable). What its line did in between is not lost: it is then called
    /// for that, once. An `enable` too many does nothing.
    pub fn enable(self) {
        self.head().enable();
    }

    /// Has the handler not called until it is enabled as often. A call that has begun goes on.
    ///
    /// Other handlers of a shared line may be held up as well, so not for long.
    pub fn disable(self) {
        self.head().disable();
    }

    /// The same, and waits for the handler if it runs. Says whether it did.
    ///
    /// # Errors
    /// [`Error::Deadlock`] inside the handler itself; nothing has been disabled then.
    ///
    /// # Deadlocks
    /// Hold no lock that the handler takes: nothing here can see that.
    pub fn disable_sync(self, cx: MaySleep<'_>) -> Result<bool, Error> {
        self.head().may_wait()?;
        self.disable();
        self.synchronize(cx)
    }

    /// Waits for the handler if it runs: for the call that had begun, not for later ones. Says whether it did.
    ///
    /// The teardown does it for every handler; a driver need not.
    ///
    /// # Errors
    /// [`Error::Deadlock`] inside the handler itself.
    ///
    /// # Deadlocks
    /// As for [`disable_sync`](Irq::disable_sync).
    pub fn synchronize(self, cx: MaySleep<'_>) -> Result<bool, Error> {
        self.head().may_wait()?;
        Ok(self.head().synchronize(cx))
    }

    /// Whether the handler is called for what its line does. (Not if it was disabled, and not any more when the scope is closing.)
    #[must_use]
    pub fn is_enabled(self) -> bool {
        self.head().state().enabled
    }

    /// What the handler is called in reports.
    #[must_use]
    pub fn name(self) -> Name {
        self.head().name()
    }
}

impl<P: Platform> fmt::Debug for Irq<'_, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Irq")
            .field("name", &self.head().name())
            .field("state", &self.head().state())
            .finish()
    }
}
