//! The branded scope: the one source of everything that can call back into a driver or touch its device.

use core::cell::Cell;
use core::fmt;
use core::marker::PhantomData;
use core::mem;
use core::panic::Location;
use core::ptr::NonNull;
use core::time::Duration;

use crate::context::MaySleep;
use crate::error::Error;
use crate::event::Name;
use crate::inspect::{visit, Inspected, Table};
use crate::platform::Platform;
use crate::time::Instant;

mod action;
mod arena;
mod enter;
pub(crate) mod gates;
pub(crate) mod inner;
mod owned;
pub(crate) mod registry;
#[cfg(all(test, loom))]
mod registry_loom;
pub(crate) mod shared;
pub(crate) mod teardown;

pub use enter::enter;

use action::Action;
use inner::Core;
use owned::Owned;
use registry::{Node, Registration};

/// The scope of a bound driver.
///
/// It begins with `probe` and ends with `remove`, and so does everything made from it: timers, register mappings, owned
/// values. Its lifetime `'drv` is a *brand*: invariant, and chosen by the caller of a function that must work for any, so
/// that it can be neither shortened nor forged. A handle that carries it cannot leave the driver.
///
/// A scope is only ever lent, as `&DriverScope`, in a context that may sleep; it is neither `Send` nor `Sync`, so no
/// callback can capture it and no driver data can keep it.
///
/// # Teardown
/// In this order, whatever was forgotten, leaked or panicked:
/// gate (no child is taken any more), [children](DriverScope::child) (unbound, newest first; then no call comes in by a [`Port`](crate::Port)), hooks ([`Driver::remove`](crate::Driver::remove), then [`on_remove`](DriverScope::on_remove) actions, newest first), close
/// ([sleeps](crate::Sleeper) end with [`Error::Closed`]; port calls that are inside are waited for; then registering and arming are refused), shut down (every activity is stopped and waited for, then the
/// readers of [`Devres`](crate::Devres) are), destroy (what `Devres` hold, driver data, captured values of callbacks, [`own`](DriverScope::own)ed values, each
/// newest first), release (devices are kept from [memory](crate::dma); then that, mappings, the scope's own).
pub struct DriverScope<'drv, P: Platform> {
    core: NonNull<Core<P>>,
    /// The label of the next registration.
    label: Cell<Option<&'static str>>,
    /// Invariant in `'drv` (trap 1). No drop glue names `'drv`, or every use would be rejected.
    _brand: PhantomData<fn(&'drv ()) -> &'drv ()>,
}

/// What a scope would need to be used in another context. No type has it; it is there for its message.
#[diagnostic::on_unimplemented(
    message = "a scope can be used only where it was lent: not in a callback, in driver data or on another thread",
    label = "takes a `&DriverScope` along",
    note = "make what a callback needs beforehand, and `move` the handles in",
    note = "to register more while the driver is bound, use `Binding::with_scope`"
)]
pub trait UsableElsewhere {}

// SAFETY: never applies: no type meets the condition. [NEVER]
unsafe impl<'drv, P: Platform> Send for DriverScope<'drv, P> where
    DriverScope<'drv, P>: UsableElsewhere
{
}
// SAFETY: as above. [NEVER]
unsafe impl<'drv, P: Platform> Sync for DriverScope<'drv, P> where
    DriverScope<'drv, P>: UsableElsewhere
{
}

impl<'drv, P: Platform> DriverScope<'drv, P> {
    /// # Safety
    /// `core` is valid throughout `'drv` and until its teardown is over; `'drv` ends before the memory does. The scope is lent
    /// only to code that is generic in `'drv`, in a context that may sleep.
    pub(crate) unsafe fn new(core: NonNull<Core<P>>) -> Self {
        DriverScope {
            core,
            label: Cell::new(None),
            _brand: PhantomData,
        }
    }

    pub(crate) fn core(&self) -> &'drv Core<P> {
        // SAFETY: valid throughout `'drv`, by the promise of `new`; only ever accessed by shared reference. [STAYS]
        unsafe { &*self.core.as_ptr() }
    }

    /// The name of a registration that is being made.
    pub(crate) fn next_name(&self, location: &'static Location<'static>) -> Name {
        Name::new(self.label.take(), location)
    }

    /// Proof that the caller may sleep: a scope is only lent where one may.
    #[must_use]
    pub fn may_sleep(&self) -> MaySleep<'_> {
        // SAFETY: having the scope proves it (`new`), and the token's lifetime ends with the borrow of the scope. [AWAKE]
        unsafe { MaySleep::assume() }
    }

    /// The platform that the scope stands on.
    #[must_use]
    pub fn platform(&self) -> &'drv P {
        &self.core().platform
    }

    /// The present, on the clock of the scope's timers.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.platform().now()
    }

    /// Waits.
    pub fn sleep(&self, delay: Duration) {
        self.platform().sleep(self.may_sleep(), delay);
    }

    /// Gives the next registration a name, for reports: `scope.named("poll").hrtimer(..)`. Without one, it goes by the line
    /// that made it.
    pub fn named(&self, label: &'static str) -> &Self {
        self.label.set(Some(label));
        self
    }

    /// Calls `visitor` for each registration of the scope: see [`inspect`](crate::inspect).
    ///
    /// No lock is held while it runs; it may register more, which is then not visited.
    pub fn inspect(&self, mut visitor: impl FnMut(&Inspected)) {
        // SAFETY: a scope is lent before its teardown begins, and not beyond. [BRAND]
        unsafe { visit(self.core(), &mut visitor) };
    }

    /// The registrations of the scope as text, as they are when it is written.
    #[must_use]
    pub fn table(&self) -> Table<'_, P> {
        // SAFETY: as in `inspect`; the table does not outlive the borrow of the scope. [BRAND]
        unsafe { Table::new(self.core()) }
    }

    /// Moves a value into the scope. It is dropped in the destroy phase, when no callback runs any more.
    ///
    /// # Errors
    /// [`Error::NoMemory`]; [`Error::Closed`]. The value is then dropped.
    ///
    /// # Why `'static` ("argument requires that `'drv` must outlive `'static`")
    /// Dropped values must not see dropped values. What borrows from the scope goes into [`alloc`](DriverScope::alloc), which takes nothing
    /// that needs `Drop`; a value that needs both is split: the part with a `Drop` is `own`ed, the other holds a reference
    /// to it. One that cannot be split goes into the driver's data or a callback; if several must hold it, in an `Arc`.
    #[track_caller]
    pub fn own<T: Send + Sync + 'static>(&self, value: T) -> Result<&'drv T, Error> {
        let name = self.next_name(Location::caller());
        let slot = self.core().reserve_node::<Owned<T>>()?;
        let item = Node::init(slot, name);
        // SAFETY: `item` is the reserved place for it. [ARENA]
        unsafe { item.write(Owned::new(value)) };
        // SAFETY: just initialised, entry and item, and in no list. [LISTED]
        match unsafe { self.core().entries.push(slot.cast()) } {
            // SAFETY: the brand keeps the reference inside `'drv`; code that can use it after the destroy phase began is
            // `Drop` code that runs before the owned values are dropped. [BRAND, UNSEEN]
            Ok(()) => Ok(unsafe { item.as_ref().get() }),
            Err(()) => {
                // SAFETY: refused, so still ours alone, and not read again. [LISTED]
                drop(unsafe { item.read() }.into_inner());
                Err(Error::Closed)
            }
        }
    }

    /// Moves a value that may borrow from the scope into it. The value must not need `Drop`.
    ///
    /// # Errors
    /// [`Error::NoMemory`]. The value is then dropped.
    ///
    /// # Compile-time check
    /// A type with drop glue is refused when code is generated (`cargo build`, not `cargo check`).
    pub fn alloc<T: 'drv>(&self, value: T) -> Result<&'drv T, Error> {
        const { refuse_drop(mem::needs_drop::<T>()) };
        let place = self.core().arena.reserve::<T>(self.platform())?;
        // SAFETY: memory for a `T`, ours alone, valid until the scope's memory is freed, which is after `'drv`. [ARENA, STAYS]
        unsafe {
            place.write(value);
            Ok(place.as_ref())
        }
    }

    /// Registers an action for remove: newest first, after [`Driver::remove`](crate::Driver::remove), while everything still works. It also runs after a
    /// failed or panicked `probe`, and at the end of [`enter`]: where no driver data exists for `remove` to be called with.
    ///
    /// # Errors
    /// [`Error::NoMemory`]; [`Error::Closed`]. The action has then been run at once, so that what it undoes is undone.
    #[track_caller]
    pub fn on_remove<F>(&self, action: F) -> Result<(), Error>
    where
        F: FnOnce(MaySleep<'_>) + Send + 'drv,
    {
        let name = self.next_name(Location::caller());
        let slot = match self.core().reserve_node::<Action<F>>() {
            Ok(slot) => slot,
            Err(error) => {
                action(self.may_sleep());
                return Err(error);
            }
        };
        let item = Node::init(slot, name);
        // SAFETY: `item` is the reserved place for it. [ARENA]
        unsafe { item.write(Action::new(action)) };
        // SAFETY: just initialised, entry and item, and in no list. [LISTED]
        match unsafe { self.core().hooks.push(slot.cast()) } {
            Ok(()) => Ok(()),
            Err(()) => {
                // SAFETY: refused, so still ours alone, and taken this once. [LISTED]
                let action = unsafe { item.as_ref().take() };
                action(self.may_sleep());
                Err(Error::Closed)
            }
        }
    }

    /// Registers an item whose place is initialised in place by `init`.
    ///
    /// # Safety
    /// When `init` returns `Ok` it has initialised the item at the place it was given. `undo` gets that place back if the scope
    /// is closed, and undoes what `init` did.
    pub(crate) unsafe fn register<R: Registration<P>>(
        &self,
        name: Name,
        init: impl FnOnce(NonNull<R>) -> Result<(), Error>,
        undo: impl FnOnce(NonNull<R>),
    ) -> Result<NonNull<R>, Error> {
        let slot = self.core().reserve_node::<R>()?;
        let item = Node::init(slot, name);
        init(item)?;
        // SAFETY: just initialised, entry and item, and in no list. [LISTED, CALLER]
        match unsafe { self.core().entries.push(slot.cast()) } {
            Ok(()) => Ok(item),
            Err(()) => {
                undo(item);
                Err(Error::Closed)
            }
        }
    }
}

/// Panics while compiling. `track_caller` keeps this crate's source, and `core`'s, out of the message.
#[track_caller]
const fn refuse_drop(needs_drop: bool) {
    assert!(
        !needs_drop,
        "`DriverScope::alloc` takes no type that needs `Drop`: its destructor could see borrowed values that are already \
         dropped. Split it: put the part that needs `Drop` into `scope.own(..)` and keep a reference to it"
    );
}

impl<P: Platform> fmt::Debug for DriverScope<'_, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DriverScope")
            .field("driver", &self.core().driver)
            .finish_non_exhaustive()
    }
}
