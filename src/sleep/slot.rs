//! The places of a sleeper: a timer and a waker each, handed from sleep to sleep.

use core::mem;
use core::ptr::NonNull;

use crate::error::Error;
use crate::event::{Kind, Name};
use crate::platform::Platform;
use crate::scope::inner::Core;
use crate::scope::registry::Registration;
use crate::scope::DriverScope;
use crate::sleep::waker::WakerCell;
use crate::sync::{Lock, UnsafeCell};
use crate::time::Instant;
use crate::timer::{HrTimer, Restart};

/// A place for a pending sleep.
///
/// It goes back to its pool at once when a sleep is dropped, even while the timer's callback runs: nothing waits for that, and no mark tells one
/// tenant's expiry from the next one's. For an expiry decides nothing. It only wakes; whether a sleep is over, its poll tells by the clock. So the
/// worst that a late expiry can do is to wake the next tenant's task for nothing, whose poll then stores its waker again.
pub(super) struct Slot<P: Platform> {
    core: NonNull<Core<P>>,
    /// As long as the place: both are the scope's, and this handle is used by methods of the place alone.
    timer: HrTimer<'static, P>,
    waker: WakerCell,
    /// The next free place, if this one is free. Accessed under the pool's lock only.
    next: UnsafeCell<Option<NonNull<Slot<P>>>>,
}

// SAFETY: the timer and the waker's cell may be used from anywhere; the core is only used as its `Sync` parts allow (the platform); `next` is accessed under a lock. [SHARED, LOCKED]
unsafe impl<P: Platform> Send for Slot<P> {}
// SAFETY: as above. [SHARED, LOCKED]
unsafe impl<P: Platform> Sync for Slot<P> {}

impl<P: Platform> Slot<P> {
    /// Makes a place, in no pool yet.
    pub(super) fn register<'drv>(
        scope: &DriverScope<'drv, P>,
        name: Name,
        timer: HrTimer<'drv, P>,
    ) -> Result<&'drv Self, Error> {
        // SAFETY: another lifetime of the same type. The timer's node is in the memory of this very scope, as the place will be: it is there for as long. [TYPED, STAYS]
        let timer = unsafe { mem::transmute::<HrTimer<'drv, P>, HrTimer<'static, P>>(timer) };
        let slot = Slot {
            core: NonNull::from(scope.core()),
            timer,
            waker: WakerCell::new(),
            next: UnsafeCell::new(None),
        };
        let init = |place: NonNull<Self>| {
            // SAFETY: memory for a place, ours alone until it is registered. [ARENA]
            unsafe { place.write(slot) };
            Ok(())
        };
        // SAFETY: initialised by `init`; there is no waker in it yet, so nothing to undo. [LISTED]
        let place = unsafe { scope.register(name, init, |_| {})? };
        // SAFETY: the scope's memory, valid until after `'drv`; from here on there are shared references only. [STAYS]
        Ok(unsafe { place.as_ref() })
    }

    fn core(&self) -> &Core<P> {
        // SAFETY: the core outlives the scope's memory, in which this lies. [STAYS]
        unsafe { self.core.as_ref() }
    }

    /// The timer's callback.
    pub(super) fn expired(&self) -> Restart {
        self.wake(self.core());
        Restart::No
    }

    /// Wakes whoever has registered. A waker that panics must not stop the timer, which others will need.
    fn wake(&self, core: &Core<P>) {
        if let Some(waker) = self.waker.take() {
            core.guarded(Some(&self.timer.name()), || waker.wake());
        }
    }

    /// See [`WakerCell::register`]. To be called by the tenant.
    pub(super) fn register_waker(&self, waker: &core::task::Waker) {
        self.waker.register(waker);
    }

    pub(super) fn arm(&self, at: Instant) -> Result<(), Error> {
        self.timer.start_at(at)
    }
}

// SAFETY: what calls code of the driver (a waker) is the timer, a registration of its own, and `close`, which is over before any `shut`. [SHUT, PHASES]
unsafe impl<P: Platform> Registration<P> for Slot<P> {
    const KIND: Kind = Kind::Sleep;

    fn close(&self, core: &Core<P>) {
        self.wake(core);
    }

    unsafe fn destroy(&self) -> bool {
        // That of a sleep that was forgotten, and polled at the very moment of the close. The cell stays usable: captured values that are destroyed later may hold sleeps.
        match self.waker.take() {
            Some(waker) => {
                drop(waker);
                true
            }
            None => false,
        }
    }
}

/// The free places of a sleeper.
pub(super) struct Pool<P: Platform> {
    core: NonNull<Core<P>>,
    free: Lock<Option<NonNull<Slot<P>>>, P>,
}

// SAFETY: the list is behind its lock, and what it leads to is `Sync`; the core is only used as its `Sync` parts allow (an atomic mark, the platform). [SHARED, LOCKED]
unsafe impl<P: Platform> Send for Pool<P> {}
// SAFETY: as above. [SHARED, LOCKED]
unsafe impl<P: Platform> Sync for Pool<P> {}

impl<P: Platform> Pool<P> {
    pub(super) fn new(scope: &DriverScope<'_, P>) -> Self {
        Pool {
            core: NonNull::from(scope.core()),
            free: Lock::new(None),
        }
    }

    fn core(&self) -> &Core<P> {
        // SAFETY: the core outlives what its scope owns, and a pool is owned. [STAYS]
        unsafe { self.core.as_ref() }
    }

    pub(super) fn now(&self) -> Instant {
        self.core().platform.now()
    }

    /// How a sleep until `at` has ended, if it has.
    pub(super) fn outcome(&self, at: Instant) -> Option<Result<(), Error>> {
        if self.core().sleeps_have_ended() {
            Some(Err(Error::Closed))
        } else if self.now() >= at {
            Some(Ok(()))
        } else {
            None
        }
    }

    /// Takes a free place.
    pub(super) fn take<'drv>(&'drv self) -> Option<&'drv Slot<P>> {
        let mut free = self.free.lock();
        // SAFETY: places of this pool are the same scope's, and valid for as long as it lends the pool. [STAYS, LOCKED]
        let slot: &'drv Slot<P> = unsafe { (*free)?.as_ref() };
        // SAFETY: under the pool's lock. [LOCKED]
        *free = slot.next.with_mut(|next| unsafe { (*next).take() });
        Some(slot)
    }

    /// Ends a tenancy.
    pub(super) fn give_back(&self, slot: &Slot<P>) {
        // Its callback may be running: see `Slot`.
        slot.timer.try_cancel();
        // If a wake has the waker in hand, it wakes it: for nothing.
        let waker = slot.waker.take();
        self.put(slot);
        // Last, and with nothing held: this is the task's code.
        drop(waker);
    }

    /// Puts a place on the list, that of its own pool, of a tenant that has gone.
    pub(super) fn put(&self, slot: &Slot<P>) {
        let mut free = self.free.lock();
        // SAFETY: under the pool's lock. [LOCKED]
        slot.next.with_mut(|next| unsafe { *next = *free });
        *free = Some(NonNull::from(slot));
    }
}
