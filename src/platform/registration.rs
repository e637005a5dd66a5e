//! For platform authors: a kind of registration of one's own, ended by the scope as those of the crate are.
//!
//! A platform has more to call drivers back with than timers and interrupts: the edges of a pin, packets of a network, a bus's own
//! notifications. Whoever brings such a source makes a kind of it here, with all that is `unsafe`, and offers drivers a safe method. Drivers
//! then have one more thing that ends with their scope, whatever is forgotten.
//!
//! Four parts:
//!
//! 1. A [`Signature`]: what the callback is called with, and what it returns.
//! 2. A type for what lies in the scope's memory: a [`Callback`], and whatever the source needs. It implements [`Registration`]: how
//!    the source is kept from calling. Only your method makes values of it: a callback of one scope, in an item of another, would be run when its
//!    own scope is gone.
//! 3. A function for the source to call. It has the callback [`run`](Callback::run), which sees to it that the driver's closure never runs beside
//!    itself, and that its panics are caught and reported.
//! 4. A method for drivers, on an extension trait of [`DriverScope`]: makes the callback, [`register`]s the item, then tells the source where it is. It
//!    returns a handle that borrows the item for `'drv`.
//!
//! `tests/own_kind/` in the repository is such a kind, with a source that is a pair of threads, and a driver for it that forbids `unsafe`; the
//! design document goes through it.
//!
//! What is registered while nothing calls it needs no source, and no `unsafe` either: see [`DriverScope::own`] and [`DriverScope::on_remove`].

use core::fmt;
use core::mem::ManuallyDrop;
use core::panic::Location;
use core::ptr::NonNull;

use crate::callback;
use crate::context::MaySleep;
use crate::error::Error;
use crate::event::{Event, Kind, Name, Outcome};
use crate::inspect::Details;
use crate::platform::Platform;
use crate::scope::inner::Core;
use crate::scope::{registry, DriverScope};
use crate::sync::{AtomicBool, Ordering, UnsafeCell};

pub use crate::callback::Signature;
#[cfg(all(feature = "std", not(loom)))]
pub use crate::platform::contexts::callback;

/// A kind of thing that a scope owns and ends, as it lies in the scope's memory. Each method is one phase of its end; the last one, release, is the
/// type's own `Drop`.
///
/// The type is `'static`: what of it borrows from the scope is in a [`Callback`], which forgets the lifetime.
///
/// # Safety
/// An implementation promises of every value that others can make of it, or get at:
///
/// 1. **`shut` ends it.** Once `shut` has returned, on whatever context, nothing calls the driver's code for this registration any more, and what
///    was called has returned; what it did happens before that return. Nothing that is done later, with a handle or by the source, begins
///    it again. Called inside the registration's own callback, `shut` does not return.
/// 2. **The last touch.** After `shut` has returned, the source does not touch the registration; its last touch before is one that
///    `shut` can tell from memory that outlives the scope.
/// 3. **No unwinding.** `close`, `shut` and `inspect` do not unwind.
/// 4. `shut` and `close` are sound for a registration that the source was never told of.
pub unsafe trait Registration<P: Platform>: Sized + Send + Sync + 'static {
    /// What the kind is called in reports.
    const KIND: &'static str;

    /// Wakes what waits for the registration and would else wait for ever: calls by ports, which are still inside. Everything still works.
    ///
    /// Context: may sleep.
    fn close(&self, platform: &P) {
        let _ = platform;
    }

    /// Keeps the source from calling any more, and waits until it does not; says what it found. Newest registration first.
    ///
    /// Context: may sleep. `stalled` is to be called about once a second while it waits, where the platform can: it reports the
    /// registration's name.
    fn shut(&self, platform: &P, cx: MaySleep<'_>, stalled: &dyn Fn()) -> Outcome;

    /// What the registration is doing, in a few words. From any context, at any time before `destroy`, beside `shut` too.
    fn inspect(&self) -> &'static str {
        "registered"
    }

    /// Drops what belongs to the driver: [`Callback::destroy`]. `false` if there was nothing. The methods of handles stay callable
    /// afterwards, by destructors of the driver.
    ///
    /// # Safety
    /// Called at most once: after the `shut` of every registration of the scope, or for one that was refused, and never on any list.
    unsafe fn destroy(&self) -> bool {
        false
    }
}

/// The name of what a driver registers next: its own (`scope.named(..)`), or the line that called the function around, which is
/// `#[track_caller]`.
#[track_caller]
#[must_use]
pub fn name<P: Platform>(scope: &DriverScope<'_, P>) -> Name {
    scope.next_name(Location::caller())
}

/// Moves an item into the scope, which ends it from now on. Only now, with the address that it stays at, is the source told of it; if the source
/// refuses, the scope keeps an item that does nothing.
///
/// Context: may sleep.
///
/// # Errors
/// [`Error::NoMemory`], [`Error::Closed`]. The item is destroyed and dropped.
pub fn register<'drv, P: Platform, R: Registration<P>>(
    scope: &DriverScope<'drv, P>,
    name: Name,
    item: R,
) -> Result<&'drv R, Error> {
    let mut item = Some(Own {
        name,
        item: UnsafeCell::new(ManuallyDrop::new(item)),
    });
    let init = |place: NonNull<Own<R>>| {
        if let Some(item) = item.take() {
            // SAFETY: memory for the item, ours alone until it is registered. [ARENA]
            unsafe { place.write(item) };
        }
        Ok(())
    };
    // SAFETY: `init` is called once and so writes the item; `undo` takes it out again when it was refused, so that nobody else has seen it. [LISTED]
    let registered = unsafe {
        let mut refused = None;
        let registered = scope.register(name, init, |place: NonNull<Own<R>>| {
            refused = Some(place.read());
        });
        (registered, refused)
    };
    match registered {
        // SAFETY: the item is only written by `release`, which nobody who has a `'drv` outlives. [STAYS, PHASES, BRAND]
        (Ok(place), _) => Ok(unsafe { place.as_ref().get() }),
        (Err(error), refused) => {
            if let Some(refused) = refused.or(item) {
                // SAFETY: on no list; each once. [LISTED]
                unsafe {
                    refused.get().destroy();
                    registry::Registration::<P>::release(&refused);
                }
            }
            Err(error)
        }
    }
}

/// An item on the scope's list.
struct Own<R> {
    name: Name,
    /// Dropped by `release`.
    item: UnsafeCell<ManuallyDrop<R>>,
}

impl<R> Own<R> {
    /// # Safety
    /// The item is not released while the reference is used.
    unsafe fn get<'a>(&self) -> &'a R {
        // SAFETY: written before this is shared, then only by `release`; the caller's promise. [CALLER]
        self.item.with(|item| unsafe { &**item })
    }
}

// SAFETY: the promise of the platform's own `Registration` is the same. [SHUT, PROMISE]
unsafe impl<P: Platform, R: Registration<P>> registry::Registration<P> for Own<R> {
    const KIND: Kind = Kind::Other(R::KIND);

    fn close(&self, core: &Core<P>) {
        // SAFETY: `release` comes later; so below. [PHASES]
        unsafe { self.get() }.close(&core.platform);
    }

    fn shut(&self, core: &Core<P>, _name: &Name, cx: MaySleep<'_>) -> Option<Outcome> {
        let stalled = || {
            core.platform.trace(&Event::Stalled {
                driver: core.driver,
                name: &self.name,
            });
        };
        // SAFETY: as above. [PHASES]
        Some(unsafe { self.get() }.shut(&core.platform, cx, &stalled))
    }

    fn inspect(&self) -> Details {
        // SAFETY: as above. [PHASES]
        Details::Other(unsafe { self.get() }.inspect())
    }

    unsafe fn destroy(&self) -> bool {
        // SAFETY: as above; and the caller's promise is the same. [PHASES, CALLER]
        unsafe { self.get().destroy() }
    }

    unsafe fn release(&self) -> bool {
        // SAFETY: called once, when nobody uses the item any more. [PHASES]
        self.item
            .with_mut(|item| unsafe { ManuallyDrop::drop(&mut *item) });
        false
    }
}

/// A driver's closure, in its scope's memory, and what every callback takes: the mark that it does not run beside itself, the end of its
/// panics, the name that they are reported by.
///
/// Part of a [`Registration`]. It forgets the lifetime of what the closure borrows, so to call it is `unsafe`; and dropping it drops nothing of
/// the driver's: that does [`destroy`](Callback::destroy).
pub struct Callback<P: Platform, S: Signature> {
    core: NonNull<Core<P>>,
    name: Name,
    running: callback::Running,
    panicked: AtomicBool,
    closure: UnsafeCell<Option<callback::Callback<S>>>,
}

// SAFETY: the closure is `Send`, and called by the one context that has `running`; the core is only used as its `Sync` parts allow (the platform, its
// driver's name); the rest is atomic or never written. [SHARED, ALONE]
unsafe impl<P: Platform, S: Signature> Send for Callback<P, S> {}
// SAFETY: as above. [SHARED, ALONE]
unsafe impl<P: Platform, S: Signature> Sync for Callback<P, S> {}

/// What became of a cause to run a callback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Run<T> {
    /// The callback ran, perhaps more than once; this is what it returned last.
    Returned(T),
    /// It is running, on another context or up this one's stack. That one runs it once more.
    Noted,
    /// It panicked, now or earlier, and is not called any more. (Reported, when it did.)
    Panicked,
}

impl<P: Platform, S: Signature> Callback<P, S> {
    /// Moves a closure into the scope's memory: `Callback::<P, MySignature>::new(..)`. The bound is best repeated by the method for drivers, with the
    /// context spelled out, so that the compiler knows what a closure's parameters are.
    ///
    /// Context: may sleep.
    ///
    /// # Errors
    /// [`Error::NoMemory`]. The closure is then dropped.
    pub fn new<'drv, F>(scope: &DriverScope<'drv, P>, name: Name, closure: F) -> Result<Self, Error>
    where
        F: FnMut(&mut S::Context<'_>) -> S::Output + Send + 'drv,
    {
        Ok(Callback {
            core: NonNull::from(scope.core()),
            name,
            running: callback::Running::new(),
            panicked: AtomicBool::new(false),
            closure: UnsafeCell::new(Some(callback::Callback::new(scope, closure)?)),
        })
    }

    /// Runs the closure, unless it runs already: then whoever runs it runs it once more. So it never runs beside itself, and no cause is lost; but what
    /// came with the cause must be where the next run finds it. `context` makes what a run is called with, each time.
    ///
    /// Context: any; on a platform without `std`, the caller's entry is `extern "C"`, so that a panic aborts. On the hosted platforms, inside
    /// `callback(..)` of this module.
    ///
    /// # Safety
    /// Called for a registration of the scope that the closure was made in, between the begin of its [`register`] and the return of its
    /// [`shut`](Registration::shut), which waits until this has returned.
    pub unsafe fn run<'c>(&self, mut context: impl FnMut() -> S::Context<'c>) -> Run<S::Output> {
        // SAFETY: the core outlives the scope's memory, in which the registration lies. [STAYS]
        let core = unsafe { self.core.as_ref() };
        let me = core.platform.context();
        if !self.running.enter(me) {
            return Run::Noted;
        }
        loop {
            let ran = self.run_once(core, &mut context);
            if self.running.leave(me) {
                return ran;
            }
        }
    }

    /// The caller has the mark.
    fn run_once<'c>(
        &self,
        core: &Core<P>,
        context: &mut impl FnMut() -> S::Context<'c>,
    ) -> Run<S::Output> {
        // Relaxed: the runs are ordered by the mark.
        if self.panicked.load(Ordering::Relaxed) {
            return Run::Panicked;
        }
        let returned = core.guarded(Some(&self.name), || {
            let mut context = context();
            self.closure.with(|closure| {
                // SAFETY: destroyed after `shut` only, which waits for the caller; the mark keeps every other context from calling it. [ALONE, SHUT]
                unsafe { (*closure).as_ref().map(|c| c.call(&mut context)) }
            })
        });
        match returned {
            Some(Some(value)) => Run::Returned(value),
            _ => {
                self.panicked.store(true, Ordering::Relaxed);
                Run::Panicked
            }
        }
    }

    /// Drops the closure, with what it captured. `false` if that has been done.
    ///
    /// # Safety
    /// As for [`Registration::destroy`] of the registration that this is a part of, to be called from there.
    pub unsafe fn destroy(&self) -> bool {
        // SAFETY: no run is under way or begins, says the caller. [CALLER]
        let closure = self
            .closure
            .with_mut(|closure| unsafe { (*closure).take() });
        let Some(closure) = closure else {
            return false;
        };
        // SAFETY: likewise; the scope's memory is there. [CALLER]
        unsafe { closure.destroy() };
        true
    }

    /// Whether the caller is inside this very callback, so that it must not wait for it.
    #[must_use]
    pub fn runs_here(&self, platform: &P) -> bool {
        self.running.is_of(platform.context())
    }

    /// Whether the closure has panicked, and is not called any more.
    #[must_use]
    pub fn has_panicked(&self) -> bool {
        // Relaxed: it tells, and nothing is done about it.
        self.panicked.load(Ordering::Relaxed)
    }

    /// What it is called in reports.
    #[must_use]
    pub fn name(&self) -> Name {
        self.name
    }
}

impl<P: Platform, S: Signature> fmt::Debug for Callback<P, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Callback")
            .field("name", &self.name)
            .field("panicked", &self.has_panicked())
            .finish_non_exhaustive()
    }
}
