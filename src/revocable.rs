//! A value that can be taken away while others hold on to where it was.

use core::fmt;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::ops::Deref;
use core::panic::Location;
use core::pin::Pin;
use core::time::Duration;

use crate::context::{ContextId, MaySleep};
use crate::error::Error;
use crate::event::Name;
use crate::platform::Platform;
use crate::sections::ends::EndsElsewhere;
use crate::sections::{Gate, GateOf, Patience, Quick, ReadSection, Sections, Stuck, Visit};
use crate::sync::{AtomicUsize, Ordering, UnsafeCell};
use crate::time::Instant;
use crate::Invariant;

/// Nobody revokes. Context ids are even and not zero.
const NOBODY: usize = 0;
/// The value has been dropped.
const GONE: usize = 1;

/// A value that is dropped at [`revoke`](Revocable::revoke), or with this, whichever comes first.
///
/// Each access is checked, and keeps the value alive until it ends; one may sleep during it. For what lives and dies with a driver a scope
/// needs no checks: this is for what must outlive one.
///
/// ```
/// use driver_scope::{platform::Sim, Revocable};
///
/// let sim = Sim::new();
/// let number = Revocable::new(sim.clone(), 42);
/// assert_eq!(number.try_access().as_deref(), Some(&42));
/// sim.may_sleep(|cx| assert_eq!(number.revoke(cx), Ok(true)));
/// assert!(number.try_access().is_none());
/// ```
///
/// The value stays where it is until it is dropped, so a pinned `Revocable` pins it: [`try_access_pin`](Revocable::try_access_pin). It may be unsized:
/// `&Revocable<[u8; 4], P>` coerces to `&Revocable<[u8], P>`.
pub struct Revocable<T: ?Sized, P: Platform> {
    gate: GateOf<P>,
    platform: P,
    /// NOBODY, the id of the context that revokes, or GONE.
    revoker: AtomicUsize,
    /// Platforms that are subtypes of each other may have different sections.
    _platform: Invariant<P>,
    /// Invariant in `T`: `revoke` drops it through a shared reference.
    value: UnsafeCell<ManuallyDrop<T>>,
}

// SAFETY: owns its value, which any thread may drop. [SHARED]
unsafe impl<T: ?Sized + Send, P: Platform> Send for Revocable<T, P> {}
// SAFETY: lends `&T` to any thread (`T: Sync`), any of which may drop it (`T: Send`). [SHARED]
unsafe impl<T: ?Sized + Send + Sync, P: Platform> Sync for Revocable<T, P> {}

impl<T, P: Platform> Revocable<T, P> {
    /// A value that can be accessed until it is revoked. The platform says how readers are remembered: [`Platform::Sections`].
    pub fn new(platform: P, value: T) -> Self {
        Revocable {
            gate: Gate::new(platform.sections().new_id(), true),
            platform,
            revoker: AtomicUsize::new(NOBODY),
            _platform: PhantomData,
            value: UnsafeCell::new(ManuallyDrop::new(value)),
        }
    }
}

impl<T: ?Sized, P: Platform> Revocable<T, P> {
    /// Access to the value, unless it has been revoked. It is not dropped before the guard is.
    ///
    /// Context: any in which the platform's sections work (every one, on the hosted platforms). Guards may be held across a sleep, nest,
    /// and go in any order. A guard that is forgotten keeps the value from being dropped by [`revoke`](Revocable::revoke).
    #[inline(always)]
    pub fn try_access(&self) -> Option<RevocableGuard<'_, T, P>> {
        // SAFETY: left by the guard's drop, in this context (a guard is not `Send`), or never. The gate is borrowed until then; should the guard be
        // forgotten and the gate go, nobody waits for its readers any more. [INSIDE, GATE]
        match unsafe { self.platform.sections().enter_quickly(&self.gate) } {
            Quick::Entered(section) => Some(RevocableGuard::new(self, section)),
            Quick::Shut => None,
            Quick::Slow => self.try_access_slowly(),
        }
    }

    #[cold]
    #[inline(never)]
    fn try_access_slowly(&self) -> Option<RevocableGuard<'_, T, P>> {
        // SAFETY: as in `try_access`. [INSIDE, GATE]
        let section = unsafe { self.platform.sections().enter(&self.gate) }?;
        Some(RevocableGuard::new(self, section))
    }

    /// Access to the pinned value; as [`try_access`](Revocable::try_access).
    #[inline]
    #[must_use]
    pub fn try_access_pin(self: Pin<&Self>) -> Option<Pin<RevocableGuard<'_, T, P>>> {
        let guard = self.get_ref().try_access()?;
        // SAFETY: what the guard derefs to lies in a pinned `Revocable`, which never moves it and drops it in place. [PINNED]
        Some(unsafe { Pin::new_unchecked(guard) })
    }

    /// Lends the value to `f`, unless it has been revoked. Context: as [`try_access`](Revocable::try_access).
    #[inline(always)]
    pub fn try_access_with<R>(&self, f: impl FnOnce(&T) -> R) -> Option<R> {
        let inside = || {
            // SAFETY: the gate was open when the section began, and the revoker waits for its end. [GATE]
            Some(f(unsafe { self.access() }))
        };
        Visit::<P>::with(self.platform.sections(), &self.gate, inside, || None)
    }

    /// Access to the value, unless it has been revoked, under a section that may cover many objects.
    ///
    /// # Panics
    /// If the section was entered on a platform that knows nothing of this object's readers: another [`Platform`] value, where its sections have a
    /// state of their own.
    #[inline]
    pub fn try_access_with_guard<'a>(&'a self, section: &'a ReadSection<'_, P>) -> Option<&'a T> {
        if section.admits(self.platform.sections(), &self.gate) {
            // SAFETY: the gate was open, inside a section that the revoker waits for before it drops the value. [GATE]
            Some(unsafe { self.access() })
        } else {
            None
        }
    }

    /// The value, without a check.
    ///
    /// # Safety
    /// The value is not revoked while the reference is used.
    #[inline(always)]
    pub unsafe fn access(&self) -> &T {
        // SAFETY: not dropped, says the caller; nobody writes to it until then. [CALLER]
        self.value.with(|value| unsafe { &**value })
    }

    /// Refuses access from now on, waits for the guards that are still there, and drops the value. `false` if another call has done so, which is
    /// over when this returns.
    ///
    /// Context: may sleep. A wait of more than a second is told to the platform, each second.
    ///
    /// # Errors
    /// [`Error::Deadlock`] when this would wait for itself: a guard of this value, or a [`ReadSection`], is held by the caller's own context (where the
    /// platform's sections can tell), and then nothing has been done; or this runs inside a `revoke` of the same value: in its drop, or in a callback that interrupts it. (Two contexts that each revoke what
    /// the other has a guard of wait for each other.)
    ///
    /// [`Error::Leaked`] when a guard was forgotten by a thread that has ended: access is refused, but the value stays until this is dropped.
    ///
    /// # Panics
    /// If the value's drop does. It is gone then all the same.
    #[track_caller]
    pub fn revoke(&self, cx: MaySleep<'_>) -> Result<bool, Error> {
        self.revoke_until(
            cx,
            None,
            &Name::new(Some("a revocable's readers"), Location::caller()),
        )
    }

    /// As [`revoke`](Revocable::revoke), but waits no longer than `patience`.
    ///
    /// # Errors
    /// Those of `revoke`; and [`Error::TimedOut`]: access is refused, but the value has not been dropped. Another call can try again. (On a platform whose
    /// clock stands still during [`Platform::pause`] that never comes.)
    ///
    /// # Panics
    /// As `revoke`.
    #[track_caller]
    pub fn revoke_within(&self, cx: MaySleep<'_>, patience: Duration) -> Result<bool, Error> {
        let until = self.platform.now().saturating_add(patience);
        self.revoke_until(
            cx,
            Some(until),
            &Name::new(Some("a revocable's readers"), Location::caller()),
        )
    }

    fn revoke_until(
        &self,
        cx: MaySleep<'_>,
        until: Option<Instant>,
        name: &Name,
    ) -> Result<bool, Error> {
        if self.platform.sections().holds(Some(&self.gate)) {
            return Err(Error::Deadlock);
        }
        self.gate.close();
        let mut patience = Patience::new(&self.platform, cx, until, ("revoke", name));
        let this = self.platform.context().get();
        // Acquire: pairs with the Release of `Gone`, whose drop of the value is over then.
        while let Err(revoker) =
            self.revoker
                .compare_exchange(NOBODY, this, Ordering::Acquire, Ordering::Acquire)
        {
            if revoker == GONE {
                return Ok(false);
            }
            // This is called by the value's own drop, or by something else that is done inside an unfinished `revoke`.
            if ContextId::new(revoker).is_some_and(|revoker| self.platform.is_beneath(revoker)) {
                return Err(Error::Deadlock);
            }
            if !patience.go_on() {
                return Err(Error::TimedOut);
            }
        }
        // SAFETY: closed above. [LOCAL]
        match unsafe { self.gate.wait(&mut patience) } {
            Ok(()) => {
                // SAFETY: this context alone is the revoker; all readers have left and none comes in. [CLAIMED, GATE]
                unsafe { self.drop_value() };
                Ok(true)
            }
            Err(stuck) => {
                // Release: for the next revoker, although there is nothing to see yet.
                self.revoker.store(NOBODY, Ordering::Release);
                Err(match stuck {
                    Stuck::GaveUp => Error::TimedOut,
                    Stuck::Leaked => Error::Leaked,
                })
            }
        }
    }

    /// Refuses access from now on and drops the value at once. `false` if another call does so, or has.
    ///
    /// # Safety
    /// Nobody has access to the value, by a guard, by a section or by [`access`](Revocable::access).
    pub unsafe fn revoke_nosync(&self) -> bool {
        self.gate.close();
        let this = self.platform.context().get();
        // Acquire: pairs with the Release of a revoker that gave up.
        let first = self
            .revoker
            .compare_exchange(NOBODY, this, Ordering::Acquire, Ordering::Relaxed)
            .is_ok();
        if first {
            // SAFETY: this context alone is the revoker, and there are no readers, says the caller. [CLAIMED, CALLER]
            unsafe { self.drop_value() };
        }
        first
    }

    /// Whether access is refused. If not, it may be a moment later.
    pub fn is_revoked(&self) -> bool {
        !self.gate.is_open()
    }

    /// # Safety
    /// The caller is the revoker; nobody has access to the value, and nobody gets it.
    unsafe fn drop_value(&self) {
        /// Tells the others that the value has been dropped, even if that panicked.
        struct Gone<'a>(&'a AtomicUsize);
        impl Drop for Gone<'_> {
            fn drop(&mut self) {
                // Release: pairs with the Acquire in `revoke_until`.
                self.0.store(GONE, Ordering::Release);
            }
        }
        let _gone = Gone(&self.revoker);
        self.value.with_mut(|value| {
            // SAFETY: once, since the revoker is never NOBODY again; nobody else has access. [CLAIMED, CALLER]
            unsafe { ManuallyDrop::drop(&mut *value) }
        });
    }
}

impl<T: ?Sized, P: Platform> Drop for Revocable<T, P> {
    fn drop(&mut self) {
        // Acquire: the value may have been dropped by another thread. No `revoke` is running: this is the only reference.
        if self.revoker.load(Ordering::Acquire) != GONE {
            // SAFETY: exclusively ours. A guard that was forgotten gives nobody access any more: its borrow is over. [LOCAL]
            self.value
                .with_mut(|value| unsafe { ManuallyDrop::drop(&mut *value) });
        }
    }
}

impl<T: ?Sized, P: Platform> fmt::Debug for Revocable<T, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Revocable")
            .field("revoked", &self.is_revoked())
            .finish_non_exhaustive()
    }
}

/// Access to the value of a [`Revocable`], which is not dropped before this is.
///
/// Not `Send`: a section ends in the context that began it.
#[must_use = "access ends as soon as the guard is dropped"]
pub struct RevocableGuard<'a, T: ?Sized, P: Platform> {
    /// Not a reference to the value, which may be dropped while this is being dropped.
    object: &'a Revocable<T, P>,
    section: <P::Sections as Sections>::Section,
    _not_send: PhantomData<*mut ()>,
}

impl<'a, T: ?Sized, P: Platform> RevocableGuard<'a, T, P> {
    /// `section` is one on the object's gate.
    #[inline(always)]
    fn new(object: &'a Revocable<T, P>, section: <P::Sections as Sections>::Section) -> Self {
        RevocableGuard {
            object,
            section,
            _not_send: PhantomData,
        }
    }
}

impl<T: ?Sized, P: Platform> Drop for RevocableGuard<'_, T, P> {
    #[inline(always)]
    fn drop(&mut self) {
        let object = self.object;
        // SAFETY: entered by `try_access`, in this context; dropped once. [INSIDE]
        unsafe { object.platform.sections().leave(&object.gate, self.section) }
    }
}

// SAFETY: never applies: no type meets the condition, which is there for its message. [NEVER]
unsafe impl<'a, T: ?Sized, P: Platform> Send for RevocableGuard<'a, T, P> where
    RevocableGuard<'a, T, P>: EndsElsewhere
{
}
// SAFETY: as above. [NEVER]
unsafe impl<'a, T: ?Sized, P: Platform> Sync for RevocableGuard<'a, T, P> where
    RevocableGuard<'a, T, P>: EndsElsewhere
{
}

impl<T: ?Sized, P: Platform> Deref for RevocableGuard<'_, T, P> {
    type Target = T;
    #[inline(always)]
    fn deref(&self) -> &T {
        // SAFETY: the gate was open when the section began, and the revoker waits for its end. [GATE]
        unsafe { self.object.access() }
    }
}

impl<T: ?Sized + fmt::Debug, P: Platform> fmt::Debug for RevocableGuard<'_, T, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
