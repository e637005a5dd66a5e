//! A resource of a scope that others may hold on to, and that is released with the scope all the same.

use core::fmt;
use core::marker::PhantomData;
use core::mem::MaybeUninit;
use core::ops::Deref;
use core::panic::Location;

use crate::error::Error;
use crate::event::Kind;
use crate::inspect::Details;
use crate::mmio::{Extent, Mmio};
use crate::platform::Platform;
use crate::scope::gates::Gates;
use crate::scope::registry::Registration;
use crate::scope::shared::Shared;
use crate::scope::DriverScope;
use crate::sections::ends::EndsElsewhere;
use crate::sections::{Quick, ReadSection, Sections, Visit};
use crate::sync::{AtomicBool, AtomicUsize, Ordering, UnsafeCell};
use crate::Invariant;

mod family;

pub use family::{Covariant, Family, Plain};

/// What the handles of one resource share, in memory that may outlive the scope.
struct Held<F: Family, P: Platform> {
    /// How many handles there are.
    handles: AtomicUsize,
    gates: Shared<Gates<P>, P>,
    /// Whether the payload has been dropped: written inside a section on the gate, or after all of them.
    dropped: AtomicBool,
    /// `At<'drv>`, written as that and read as `At<'some other>`; the layout of a type does not depend on lifetimes.
    payload: UnsafeCell<MaybeUninit<F::At<'static>>>,
}

// SAFETY: the payload is `Send + Sync` at every lifetime; the rest is, too. [SHARED]
unsafe impl<F: Family, P: Platform> Send for Held<F, P> {}
// SAFETY: as above. It is written only by `destroy`, which excludes readers. [SHARED, GATE]
unsafe impl<F: Family, P: Platform> Sync for Held<F, P> {}

impl<F: Family, P: Platform> Held<F, P> {
    /// The payload, at a lifetime that the caller can answer for.
    ///
    /// # Safety
    /// It is not dropped while the reference is used, and the caller lends it only to code that is generic in `'l`, or knows that it is the
    /// lifetime it was made with.
    #[inline(always)]
    unsafe fn payload<'a, 'l>(&'a self) -> &'a F::At<'l> {
        // SAFETY: written before there was a handle, and not dropped, says the caller. [TYPED, CALLER]
        self.payload
            .with(|payload| unsafe { &*payload.cast::<F::At<'l>>() })
    }

    /// Drops the payload, if that has not been done; says whether it has done so.
    ///
    /// # Safety
    /// Nobody has access to it, and nobody else is in this method.
    unsafe fn destroy(&self) -> bool {
        // Relaxed: each of the two who may come here is ordered against the other by the gate: the last handle is inside a section
        // on it, and the teardown waits for that before it comes.
        if self.dropped.load(Ordering::Relaxed) {
            return false;
        }
        // Before the drop, which may panic.
        self.dropped.store(true, Ordering::Relaxed);
        self.payload.with_mut(|payload| {
            // SAFETY: written, not dropped yet, and nobody has access to it. [TYPED, CALLER]
            unsafe { (*payload).assume_init_drop() }
        });
        true
    }
}

/// The scope's part in a resource: its end.
struct Entry<F: Family, P: Platform> {
    /// Taken by `release`.
    held: UnsafeCell<Option<Shared<Held<F, P>, P>>>,
}

// SAFETY: a resource calls nothing of the driver but its drop. [SHUT]
unsafe impl<F: Family, P: Platform> Registration<P> for Entry<F, P> {
    const KIND: Kind = Kind::Devres;

    fn inspect(&self) -> Details {
        self.held.with(|held| {
            // SAFETY: only `release` writes the cell, later. [PHASES]
            match unsafe { &*held } {
                // Relaxed: it tells, and nothing is done about it.
                Some(held) if !held.dropped.load(Ordering::Relaxed) => Details::Held,
                _ => Details::Released,
            }
        })
    }

    unsafe fn destroy(&self) -> bool {
        self.held.with(|held| {
            // SAFETY: only `release` writes the cell, later. [PHASES]
            let Some(held) = (unsafe { &*held }) else {
                return false;
            };
            // SAFETY: called once, after the gate was closed and all its sections were waited for. So no guard is left, no
            // last handle is dropping the payload, and none will; and nobody has a scope any more, so nobody is in `access`. [PHASES, GATE]
            unsafe { held.destroy() }
        })
    }

    unsafe fn release(&self) -> bool {
        // SAFETY: called once, when nobody uses the registration. [PHASES]
        drop(self.held.with_mut(|held| unsafe { (*held).take() }));
        false
    }
}

/// A handle to a resource of a scope, for the rest of the world: `'static`, cloneable, usable on any thread.
///
/// The resource is released, which is to say dropped, when its scope ends, at the latest; before that, when its last handle is dropped outside a
/// callback (its drop then runs there, and a panic of it goes on there). What has no `Drop`, such as a mapping's or a timer's handle, stays what it
/// is to the scope: mapped, and armed, until that ends. Each access is checked, and holds off the scope's end until it is over: a remove waits once for the readers of
/// all its `Devres`, however many there are. Inside a driver nothing needs this: there, handles are checked by the compiler.
///
/// ```
/// use driver_scope::{platform::Sim, *};
/// use driver_scope::platform::{Model, Region};
/// # struct Ram; impl Model for Ram { fn read(&self, _: u64, _: u8) -> u64 { 7 } fn write(&self, _: u64, _: u8, _: u64) {} }
/// registers! {
///     Regs: 8 {
///         0x00 => ro STATUS: u32,
///     }
/// }
///
/// let sim = Sim::new();
/// let region = Region::new(std::sync::Arc::new(Ram), 8);
/// let outside: Devres<Mmio<'static, Regs, Sim>, Sim> = sim.may_sleep(|cx| {
///     enter(sim.clone(), cx, &region, |region, scope| {
///         let devres = scope.map::<Regs>(region)?.into_devres(scope)?.devres();
///         assert_eq!(devres.try_access_with(|regs| regs.read(STATUS)), Some(7));
///         Ok::<_, Error>(devres)
///     })
/// })?;
/// assert!(outside.try_access().is_none()); // unmapped with its scope
/// # Ok::<(), Error>(())
/// ```
pub struct Devres<F: Family, P: Platform> {
    held: Shared<Held<F, P>, P>,
    /// Invariant in both: types that are subtypes of each other may be different families.
    _family: Invariant<(F, P)>,
}

impl<F: Family, P: Platform> Devres<F, P> {
    /// Access to the resource, unless its scope has ended. It is not released before the guard is dropped.
    ///
    /// Context: any in which the platform's sections work (every one, on the hosted platforms). Guards may be held across a sleep, nest,
    /// and go in any order. A guard that is forgotten keeps the scope from ending: its remove does not return.
    #[inline(always)]
    #[must_use]
    pub fn try_access(&self) -> Option<DevresGuard<'_, F, P>> {
        let sections = self.held.platform().sections();
        // SAFETY: left by the guard's drop, in this context (a guard is not `Send`), or never. The gate stays as long as this handle, which is borrowed
        // until then; should the guard be forgotten, the teardown waits for ever, and the gate stays. [GATE, INSIDE]
        match unsafe { sections.enter_quickly(&self.held.gates.devres) } {
            Quick::Entered(section) => Some(DevresGuard::new(self, section)),
            Quick::Shut => None,
            Quick::Slow => self.try_access_slowly(),
        }
    }

    #[cold]
    #[inline(never)]
    fn try_access_slowly(&self) -> Option<DevresGuard<'_, F, P>> {
        let sections = self.held.platform().sections();
        // SAFETY: as in `try_access`. [GATE, INSIDE]
        let section = unsafe { sections.enter(&self.held.gates.devres) }?;
        Some(DevresGuard::new(self, section))
    }

    /// Lends the resource to `f`, unless its scope has ended. Context: as [`try_access`](Devres::try_access).
    #[inline(always)]
    pub fn try_access_with<R>(&self, f: impl for<'a, 'd> FnOnce(&'a F::At<'d>) -> R) -> Option<R> {
        let sections = self.held.platform().sections();
        let inside = || {
            // SAFETY: there while the section lasts, and this handle; `f` is generic in the lifetimes. [GATE, TYPED]
            Some(f(unsafe { self.held.payload() }))
        };
        Visit::<P>::with(sections, &self.held.gates.devres, inside, || None)
    }

    /// Access under a section that may cover many objects, unless the resource's scope has ended.
    ///
    /// # Panics
    /// If the section was entered on a platform that knows nothing of this resource's readers.
    #[inline]
    pub fn try_access_with_guard<'a>(
        &'a self,
        section: &'a ReadSection<'_, P>,
    ) -> Option<&'a F::At<'a>>
    where
        F: Covariant,
    {
        if section.admits(self.held.platform().sections(), &self.held.gates.devres) {
            // SAFETY: the gate was open, inside a section that the teardown waits for, and this handle keeps the payload until then; `shorten`
            // is generic in the lifetime. [GATE, TYPED]
            Some(F::shorten(unsafe { self.held.payload() }))
        } else {
            None
        }
    }

    /// The same resource inside its scope, if this is its scope: checked once, here, and then no more.
    #[must_use]
    pub fn bind<'drv>(&self, scope: &DriverScope<'drv, P>) -> Option<Bound<'drv, F, P>> {
        scope.core().has_gates(&self.held.gates).then(|| Bound {
            devres: self.clone(),
            _brand: PhantomData,
        })
    }
}

impl<F: Family, P: Platform> Clone for Devres<F, P> {
    fn clone(&self) -> Self {
        let held = self.held.clone();
        // Relaxed: the new handle comes of one that is there. It cannot overflow before the count of `Shared` does, which is as large
        // at least.
        held.handles.fetch_add(1, Ordering::Relaxed);
        Devres {
            held,
            _family: PhantomData,
        }
    }
}

impl<F: Family, P: Platform> Drop for Devres<F, P> {
    fn drop(&mut self) {
        // Release: pairs with the Acquire below.
        if self.held.handles.fetch_sub(1, Ordering::Release) != 1 {
            return;
        }
        // Acquire: pairs with the Release of the other handles: their use of the payload is over. (A load and not a fence, which
        // ThreadSanitizer does not know.)
        let _ = self.held.handles.load(Ordering::Acquire);
        let platform = self.held.platform();
        // In a callback its drop may not be welcome: the scope's end sees to it.
        if platform.in_callback() {
            return;
        }
        // As a reader, so that the scope waits for this. If it refuses, it sees to the payload itself.
        if let Some(_inside) = Visit::<P>::enter(platform.sections(), &self.held.gates.devres) {
            // SAFETY: the last handle is going: guards and references borrowed from a handle, and no handle comes back. The teardown waits
            // for this section before it comes here. [COUNTED, GATE]
            unsafe { self.held.destroy() };
        }
    }
}

impl<F: Family, P: Platform> fmt::Debug for Devres<F, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Devres<{}>", core::any::type_name::<F>())
    }
}

/// A handle to a resource inside the scope that owns it: access needs no check there.
///
/// It is a [`Devres`] (to which it derefs) and the proof of whose it is.
pub struct Bound<'drv, F: Family, P: Platform> {
    devres: Devres<F, P>,
    /// Invariant, as that of the scope.
    _brand: Invariant<&'drv ()>,
}

impl<'drv, F: Family, P: Platform> Bound<'drv, F, P> {
    /// The resource, without a check: while its scope is lent, it is there.
    #[inline(always)]
    pub fn access<'a>(&'a self, scope: &'a DriverScope<'drv, P>) -> &'a F::At<'drv> {
        let _ = scope;
        // SAFETY: the brand says that `scope` is the one that owns the resource. While it is lent its teardown has not begun, and while
        // `self` is borrowed its last handle has not gone. `'drv` is what the payload was made with, or what stands for that in this lending of the scope. [BRAND, TYPED]
        unsafe { self.devres.held.payload() }
    }

    /// A handle for the rest of the world.
    #[must_use]
    pub fn devres(&self) -> Devres<F, P> {
        self.devres.clone()
    }
}

impl<F: Family, P: Platform> Clone for Bound<'_, F, P> {
    fn clone(&self) -> Self {
        Bound {
            devres: self.devres.clone(),
            _brand: PhantomData,
        }
    }
}

impl<F: Family, P: Platform> Deref for Bound<'_, F, P> {
    type Target = Devres<F, P>;
    fn deref(&self) -> &Devres<F, P> {
        &self.devres
    }
}

impl<F: Family, P: Platform> fmt::Debug for Bound<'_, F, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.devres.fmt(f)
    }
}

/// Access to what a [`Devres`] holds, by [`get`](DevresGuard::get). It is not released before this is dropped.
///
/// Not `Send`: a section ends in the context that began it. No `Deref`: what is lent must not be copied out to live longer than the
/// guard, and `get` sees to that.
#[must_use = "access ends as soon as the guard is dropped"]
pub struct DevresGuard<'a, F: Family, P: Platform> {
    /// Not a reference to the payload, which may be dropped while this is being dropped.
    devres: &'a Devres<F, P>,
    section: <P::Sections as Sections>::Section,
    _not_send: PhantomData<*mut ()>,
}

impl<'a, F: Family, P: Platform> DevresGuard<'a, F, P> {
    /// `section` is one on the gate of the handle's resource.
    #[inline(always)]
    fn new(devres: &'a Devres<F, P>, section: <P::Sections as Sections>::Section) -> Self {
        DevresGuard {
            devres,
            section,
            _not_send: PhantomData,
        }
    }
}

impl<F: Family, P: Platform> Drop for DevresGuard<'_, F, P> {
    #[inline(always)]
    fn drop(&mut self) {
        let held = &self.devres.held;
        // SAFETY: entered by `try_access`, in this context; dropped once. [INSIDE]
        unsafe {
            held.platform()
                .sections()
                .leave(&held.gates.devres, self.section)
        }
    }
}

impl<F: Family, P: Platform> DevresGuard<'_, F, P> {
    /// The resource, as long as the guard is borrowed.
    #[inline(always)]
    #[must_use]
    pub fn get(&self) -> &F::At<'_>
    where
        F: Covariant,
    {
        // SAFETY: there while the guard is; `shorten` is generic in the lifetime. [GATE, TYPED]
        F::shorten(unsafe { self.devres.held.payload() })
    }
}

// SAFETY: never applies: no type meets the condition, which is there for its message. [NEVER]
unsafe impl<'a, F: Family, P: Platform> Send for DevresGuard<'a, F, P> where
    DevresGuard<'a, F, P>: EndsElsewhere
{
}
// SAFETY: as above. [NEVER]
unsafe impl<'a, F: Family, P: Platform> Sync for DevresGuard<'a, F, P> where
    DevresGuard<'a, F, P>: EndsElsewhere
{
}

impl<F: Family, P: Platform> fmt::Debug for DevresGuard<'_, F, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DevresGuard<{}>", core::any::type_name::<F>())
    }
}

impl<'drv, P: Platform> DriverScope<'drv, P> {
    /// Moves a resource into the scope that others may hold on to. It may borrow from the scope and it may have a `Drop`, which runs when the
    /// resource is released: in the destroy phase, newest first, before anything else is dropped there.
    ///
    /// # Errors
    /// [`Error::NoMemory`], [`Error::Closed`]; the resource is then dropped.
    #[track_caller]
    pub fn devres<F: Family + 'static>(
        &self,
        value: F::At<'drv>,
    ) -> Result<Bound<'drv, F, P>, Error> {
        let name = self.next_name(Location::caller());
        let core = self.core();
        let gates = core.gates_for_devres()?;
        // Written below, so that a failure drops `value` as what it is.
        let held = Held::<F, P> {
            handles: AtomicUsize::new(1),
            gates,
            dropped: AtomicBool::new(true),
            payload: UnsafeCell::new(MaybeUninit::uninit()),
        };
        let held = Shared::new(&core.platform, held).map_err(|(error, _)| error)?;
        let entry = held.clone();
        // SAFETY: `init` writes the item. There is nothing to undo but to drop it again. [LISTED]
        unsafe {
            self.register(
                name,
                |place| {
                    // SAFETY: memory for the item, ours alone. [ARENA]
                    place.write(Entry {
                        held: UnsafeCell::new(Some(entry)),
                    });
                    Ok(())
                },
                |place: core::ptr::NonNull<Entry<F, P>>| {
                    // SAFETY: just written, refused, and not seen by anybody else. [LISTED]
                    drop(place.read());
                },
            )?;
        }
        held.payload.with_mut(|payload| {
            // SAFETY: memory for a member, which nobody has access to: there is no handle yet, and the teardown cannot have come, since
            // the scope is lent. [LISTED, TYPED]
            unsafe { payload.cast::<F::At<'drv>>().write(value) };
        });
        // Relaxed: handles go to other threads by means that order this.
        held.dropped.store(false, Ordering::Relaxed);
        Ok(Bound {
            devres: Devres {
                held,
                _family: PhantomData,
            },
            _brand: PhantomData,
        })
    }
}

impl<'drv, R: Extent + ?Sized, P: Platform> Mmio<'drv, R, P> {
    /// Hands the mapping to the scope as a resource that others may hold on to, as `into_devres` of Linux's BARs.
    ///
    /// # Errors
    /// As for [`DriverScope::devres`].
    #[track_caller]
    pub fn into_devres(
        self,
        scope: &DriverScope<'drv, P>,
    ) -> Result<Bound<'drv, Mmio<'static, R, P>, P>, Error> {
        scope.devres::<Mmio<'static, R, P>>(self)
    }
}
