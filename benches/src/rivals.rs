//! The same by other crates, each used as its documentation recommends.

use std::cell::UnsafeCell;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

use arc_swap::ArcSwapOption;
use crossbeam_epoch as epoch;
use haphazard::{AtomicPtr as HazardPtr, Domain, HazardPointer};
use left_right::{Absorb, ReadHandleFactory, WriteHandle};
use seize::{reclaim, Collector, Guard as _};

use crate::batch::Run;
use crate::guarded::{until, Object};
use crate::payload::Payload;

/// The version of a crate in the lock file that the benches were built with.
#[must_use]
pub fn version(name: &str) -> &'static str {
    locked(include_str!("../../Cargo.lock"), name)
}

/// The version of a crate in a lock file.
#[must_use]
pub fn locked<'a>(lock: &'a str, name: &str) -> &'a str {
    let mut lines = lock.lines();
    let wanted = format!("name = \"{name}\"");
    lines
        .by_ref()
        .find(|line| *line == wanted)
        .and_then(|_| lines.next())
        .and_then(|line| line.strip_prefix("version = \"")?.strip_suffix('"'))
        .unwrap_or("of unknown version")
}

/// `std::sync::RwLock`.
#[derive(Debug)]
pub struct StdRwLock(RwLock<Option<Payload>>);

impl StdRwLock {
    /// With a payload.
    #[must_use]
    pub fn new(payload: Payload) -> Self {
        StdRwLock(RwLock::new(Some(payload)))
    }
}

impl Object for StdRwLock {
    fn with<R: Run>(&self, run: R) -> R::Out {
        run.run(
            &self.0,
            #[inline(always)]
            |lock| lock.read().unwrap().as_ref().map(Payload::read),
        )
    }
    fn revoke(&self, _gone: &dyn Fn() -> bool) {
        let payload = self.0.write().unwrap().take();
        drop(payload);
    }
}

/// `parking_lot::RwLock`.
#[derive(Debug)]
pub struct ParkingLot(parking_lot::RwLock<Option<Payload>>);

impl ParkingLot {
    /// With a payload.
    #[must_use]
    pub fn new(payload: Payload) -> Self {
        ParkingLot(parking_lot::RwLock::new(Some(payload)))
    }
}

impl Object for ParkingLot {
    fn with<R: Run>(&self, run: R) -> R::Out {
        run.run(
            &self.0,
            #[inline(always)]
            |lock| lock.read().as_ref().map(Payload::read),
        )
    }
    fn revoke(&self, _gone: &dyn Fn() -> bool) {
        let payload = self.0.write().take();
        drop(payload);
    }
}

/// arc-swap: an `Option<Arc>` that is replaced by none. The payload goes with the last reader that has it.
#[derive(Debug)]
pub struct ArcSwapped(ArcSwapOption<Payload>);

impl ArcSwapped {
    /// With a payload.
    #[must_use]
    pub fn new(payload: Payload) -> Self {
        ArcSwapped(ArcSwapOption::new(Some(Arc::new(payload))))
    }
}

impl Object for ArcSwapped {
    fn with<R: Run>(&self, run: R) -> R::Out {
        run.run(
            &self.0,
            #[inline(always)]
            |object| object.load().as_ref().map(|payload| payload.read()),
        )
    }
    fn revoke(&self, gone: &dyn Fn() -> bool) {
        drop(self.0.swap(None));
        until(gone, || ());
    }
}

/// crossbeam-epoch, with its default collector.
#[derive(Debug)]
pub struct Crossbeam(epoch::Atomic<Payload>);

impl Crossbeam {
    /// With a payload.
    #[must_use]
    pub fn new(payload: Payload) -> Self {
        Crossbeam(epoch::Atomic::new(payload))
    }
}

impl Object for Crossbeam {
    fn with<R: Run>(&self, run: R) -> R::Out {
        run.run(
            &self.0,
            #[inline(always)]
            |object| {
                let guard = epoch::pin();
                let payload = object.load(Ordering::Acquire, &guard);
                // SAFETY: null, or not reclaimed while the guard is there.
                unsafe { payload.as_ref() }.map(Payload::read)
            },
        )
    }
    fn revoke(&self, gone: &dyn Fn() -> bool) {
        {
            let guard = epoch::pin();
            let payload = self.0.swap(epoch::Shared::null(), Ordering::AcqRel, &guard);
            if !payload.is_null() {
                // SAFETY: just taken out, by this call alone.
                unsafe { guard.defer_destroy(payload) };
            }
        }
        until(gone, || epoch::pin().flush());
    }
}

/// seize: one collector for all objects. Its batches are as small as they can be.
#[derive(Debug)]
pub struct Seize {
    collector: &'static Collector,
    payload: AtomicPtr<Payload>,
}

impl Seize {
    /// With a payload.
    #[must_use]
    pub fn new(payload: Payload) -> Self {
        static COLLECTOR: OnceLock<Collector> = OnceLock::new();
        Seize {
            collector: COLLECTOR.get_or_init(|| Collector::new().batch_size(1)),
            payload: AtomicPtr::new(Box::into_raw(Box::new(payload))),
        }
    }
}

impl Object for Seize {
    fn with<R: Run>(&self, run: R) -> R::Out {
        run.run(
            self,
            #[inline(always)]
            |object| {
                let guard = object.collector.enter();
                let payload = guard.protect(&object.payload, Ordering::Acquire);
                // SAFETY: null, or not reclaimed while the guard is there.
                unsafe { payload.as_ref() }.map(Payload::read)
            },
        )
    }
    fn revoke(&self, gone: &dyn Fn() -> bool) {
        let collector = self.collector;
        let guard = collector.enter();
        let payload = guard.swap(&self.payload, ptr::null_mut(), Ordering::AcqRel);
        drop(guard);
        if !payload.is_null() {
            // SAFETY: just taken out, by this call alone; made by a `Box`.
            unsafe { collector.retire(payload, reclaim::boxed) };
        }
        until(gone, || {
            // A batch goes only if there is an object in it for each thread that is active.
            // SAFETY: made by a `Box`, and nobody else's.
            unsafe { collector.retire(Box::into_raw(Box::new(0_u8)), reclaim::boxed) };
            collector.enter().flush();
        });
    }
}

/// haphazard: hazard pointers. `KEPT`: each thread keeps its own; else each access acquires one.
pub struct Haphazard<const KEPT: bool>(HazardPtr<Payload>);

impl<const KEPT: bool> Haphazard<KEPT> {
    /// With a payload.
    #[must_use]
    pub fn new(payload: Payload) -> Self {
        Haphazard(HazardPtr::from(Box::new(payload)))
    }
}

impl<const KEPT: bool> Object for Haphazard<KEPT> {
    fn with<R: Run>(&self, run: R) -> R::Out {
        let object = &self.0;
        if KEPT {
            let hazard = UnsafeCell::new(HazardPointer::new());
            run.run(
                &hazard,
                #[inline(always)]
                |hazard| {
                    // SAFETY: the cell is this thread's (it is not `Sync`), and nothing in here comes back to it.
                    let hazard = unsafe { &mut *hazard.get() };
                    let value = object.safe_load(hazard).map(Payload::read);
                    hazard.reset_protection();
                    value
                },
            )
        } else {
            run.run(
                object,
                #[inline(always)]
                |object| {
                    let mut hazard = HazardPointer::new();
                    object.safe_load(&mut hazard).map(Payload::read)
                },
            )
        }
    }
    fn revoke(&self, gone: &dyn Fn() -> bool) {
        // SAFETY: null is a value that `safe_load` knows.
        if let Some(payload) = unsafe { self.0.swap_ptr(ptr::null_mut()) } {
            // SAFETY: just taken out, by this call alone.
            unsafe { payload.retire() };
        }
        until(gone, || {
            Domain::global().eager_reclaim();
        });
    }
}

/// What left-right keeps two of.
#[derive(Clone, Debug)]
pub struct Doubled(Payload);

impl Absorb<()> for Doubled {
    fn absorb_first(&mut self, (): &mut (), _: &Self) {}
    fn sync_with(&mut self, _: &Self) {}
}

/// left-right: revoked by dropping the write handle, after which readers find nothing. Each thread has a read handle of its own.
pub struct LeftRight {
    factory: ReadHandleFactory<Doubled>,
    writer: Mutex<Option<WriteHandle<Doubled, ()>>>,
}

impl LeftRight {
    /// With a payload.
    #[must_use]
    pub fn new(payload: Payload) -> Self {
        let (mut writer, reader) = left_right::new_from_empty::<Doubled, ()>(Doubled(payload));
        writer.publish();
        LeftRight {
            factory: reader.factory(),
            writer: Mutex::new(Some(writer)),
        }
    }
}

impl Object for LeftRight {
    fn with<R: Run>(&self, run: R) -> R::Out {
        run.run(
            &self.factory.handle(),
            #[inline(always)]
            |reader| reader.enter().map(|doubled| doubled.0.read()),
        )
    }
    fn revoke(&self, gone: &dyn Fn() -> bool) {
        let writer = self
            .writer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        drop(writer);
        until(gone, || ());
    }
}

/// sdd: epochs.
#[derive(Debug)]
pub struct Sdd(sdd::AtomicOwned<Payload>);

impl Sdd {
    /// With a payload.
    #[must_use]
    pub fn new(payload: Payload) -> Self {
        Sdd(sdd::AtomicOwned::new(payload))
    }
}

impl Object for Sdd {
    fn with<R: Run>(&self, run: R) -> R::Out {
        run.run(
            &self.0,
            #[inline(always)]
            |object| {
                let guard = sdd::Guard::new();
                object
                    .load(Ordering::Acquire, &guard)
                    .as_ref()
                    .map(Payload::read)
            },
        )
    }
    fn revoke(&self, gone: &dyn Fn() -> bool) {
        let (payload, _) = self.0.swap((None, sdd::Tag::None), Ordering::AcqRel);
        drop(payload);
        until(gone, || sdd::Guard::new().accelerate());
    }
}
