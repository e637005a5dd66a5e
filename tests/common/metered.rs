//! A platform around another that counts, logs, poisons and refuses.

use std::alloc::{alloc, dealloc};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use core::alloc::Layout;
use core::ptr::NonNull;
use core::time::Duration;

use driver_scope::event::Event;
use driver_scope::platform::{Arm, DeferredEntry, Dma, TimerEntry, TimerState, Timers};
use driver_scope::{Clock, ContextId, Error, Instant, MaySleep, Platform, TimerMode, TryCancel};

use super::locks::Noted;
use super::{hand_on, DeviceSide, Log, TestPlatform};

/// `P`, with its memory accounted for, every event logged, and refusals on demand.
#[derive(Clone)]
pub struct Metered<P: Platform> {
    inner: P,
    /// Looked at by [`Meter::defer_at_once`]'s check that a platform is still there.
    canary: u64,
    meter: Arc<Meter>,
}

const CANARY: u64 = 0x6b61_6e61_7269_6565;

/// What the clones of a metered platform share.
#[derive(Default)]
pub struct Meter {
    /// Blocks that have not been given back, by address.
    live: Mutex<BTreeMap<usize, Layout>>,
    /// Blocks given back, when they are to be kept from reuse.
    kept: Mutex<Vec<(usize, Layout)>>,
    /// How many times memory was asked for.
    asked: AtomicUsize,
    /// From which ask on there is none; zero: never.
    refuse_from: AtomicUsize,
    /// Above which size there is none; zero: never.
    refuse_above: AtomicUsize,
    /// Whether the platform has no timers left.
    pub refuse_timers: AtomicBool,
    /// Whether each block given back is logged.
    pub log_memory: AtomicBool,
    /// Whether panics are expected.
    pub panics_expected: AtomicBool,
    /// Whether a deferred call is over before `defer` returns, on another thread, and memory given back stays mapped.
    pub defer_at_once: AtomicBool,
    /// Called at each pause of somebody who waits.
    pub at_pause: Mutex<Option<Box<dyn Fn() + Send + Sync>>>,
    /// What went wrong.
    wrongs: Mutex<Vec<String>>,
    /// Events, and what tests add.
    pub log: Log,
}

impl Meter {
    fn wrong(&self, what: String) {
        self.wrongs
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(what);
    }

    /// Has the `n`th ask for memory from now on, and all later ones, fail; zero: none.
    pub fn refuse_from(&self, n: usize) {
        self.asked.store(0, Ordering::Relaxed);
        self.refuse_from.store(n, Ordering::Relaxed);
    }

    /// Has each ask for more bytes than this fail.
    pub fn refuse_above(&self, size: usize) {
        self.refuse_above.store(size, Ordering::Relaxed);
    }

    /// Blocks that have not been given back.
    pub fn live(&self) -> usize {
        self.live
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .len()
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        for (address, layout) in self.kept.get_mut().unwrap().drain(..) {
            // SAFETY: kept by `deallocate` instead of being freed; the crate has given it back.
            unsafe { dealloc(address as *mut u8, layout) };
        }
    }
}

impl<P: Platform> Metered<P> {
    /// Around a platform that exists.
    pub fn around(inner: P) -> Self {
        Metered {
            inner,
            canary: CANARY,
            meter: Arc::default(),
        }
    }

    /// The platform inside.
    pub fn inner(&self) -> &P {
        &self.inner
    }

    /// The meter.
    pub fn meter(&self) -> &Meter {
        &self.meter
    }

    /// To see when the last clone has gone.
    pub fn weak(&self) -> Weak<Meter> {
        Arc::downgrade(&self.meter)
    }

    /// The log of events.
    pub fn log(&self) -> Log {
        self.meter.log.clone()
    }

    /// Says that panics are part of the test.
    pub fn expect_panics(&self) {
        self.meter.panics_expected.store(true, Ordering::Relaxed);
    }

    /// Checks that all memory has been given back, once and as it was, and that nothing panicked that should not.
    #[track_caller]
    pub fn assert_at_rest(&self) {
        let wrongs = self.meter.wrongs.lock().unwrap().clone();
        assert!(wrongs.is_empty(), "{wrongs:?}");
        assert_eq!(self.meter.live(), 0, "blocks not given back");
        if !self.meter.panics_expected.load(Ordering::Relaxed) {
            let lines = self.meter.log.lines();
            let panicked: Vec<_> = lines.iter().filter(|l| l.ends_with("panicked")).collect();
            assert!(panicked.is_empty(), "{panicked:?}");
        }
    }
}

impl<P: TestPlatform> TestPlatform for Metered<P> {
    const REAL_TIME: bool = P::REAL_TIME;
    const TELLS: bool = P::TELLS;
    const OWN_SECTIONS: bool = P::OWN_SECTIONS;
    fn fresh() -> Self {
        Metered::around(P::fresh())
    }
    fn lend_sleep<R>(&self, f: impl for<'c> FnOnce(MaySleep<'c>) -> R) -> R {
        self.inner.lend_sleep(f)
    }
    fn dma_device(&self) -> (<P::Dma as Dma>::Device, Arc<dyn DeviceSide>) {
        self.inner.dma_device()
    }
    fn meanwhile<R>(&self, f: impl FnOnce() -> R) -> R {
        self.inner.meanwhile(f)
    }
}

/// What memory looks like that nobody has written yet.
const FRESH: u8 = 0xa5;
/// What memory looks like that nobody may read any more.
const GONE: u8 = 0xdd;

// SAFETY: those of the inner platform's timers, to which all of this goes.
unsafe impl<P: Platform> Timers for Metered<P> {
    type Node = <P::Timers as Timers>::Node;

    unsafe fn init(
        &self,
        node: *mut Self::Node,
        mode: TimerMode,
        entry: TimerEntry,
        context: *const (),
    ) -> Result<(), Error> {
        if self.meter.refuse_timers.load(Ordering::Relaxed) {
            return Err(Error::Platform(-11));
        }
        // SAFETY: (here and below) the caller's promise.
        unsafe { self.inner.timers().init(node, mode, entry, context) }
    }

    unsafe fn arm(
        &self,
        node: NonNull<Self::Node>,
        at: Instant,
        slack: Option<Duration>,
        how: Arm,
    ) -> Result<(), Error> {
        // SAFETY: see `init`.
        unsafe { self.inner.timers().arm(node, at, slack, how) }
    }

    unsafe fn state(&self, node: NonNull<Self::Node>) -> TimerState {
        // SAFETY: see `init`.
        unsafe { self.inner.timers().state(node) }
    }

    unsafe fn try_cancel(&self, node: NonNull<Self::Node>) -> TryCancel {
        // SAFETY: see `init`.
        unsafe { self.inner.timers().try_cancel(node) }
    }

    unsafe fn cancel(
        &self,
        node: NonNull<Self::Node>,
        cx: MaySleep<'_>,
        stalled: &dyn Fn(),
    ) -> bool {
        // SAFETY: see `init`.
        unsafe { self.inner.timers().cancel(node, cx, stalled) }
    }

    unsafe fn flush(
        &self,
        node: NonNull<Self::Node>,
        now: Instant,
        cx: MaySleep<'_>,
        stalled: &dyn Fn(),
    ) -> bool {
        // SAFETY: see `init`.
        unsafe { self.inner.timers().flush(node, now, cx, stalled) }
    }

    unsafe fn shut(
        &self,
        node: NonNull<Self::Node>,
        cx: MaySleep<'_>,
        stalled: &dyn Fn(),
    ) -> TimerState {
        // SAFETY: see `init`.
        unsafe { self.inner.timers().shut(node, cx, stalled) }
    }
}

// SAFETY: the promises are those of `P`, to which everything is handed on; memory is the global allocator's.
unsafe impl<P: Platform> Platform for Metered<P> {
    hand_on!(P, inner: bus, sections);
    type RawLock = Noted<P::RawLock>;
    type Timers = Self;
    type Deferred = P::Deferred;

    fn allocate(&self, layout: Layout) -> Option<NonNull<u8>> {
        let meter = &*self.meter;
        let ask = meter.asked.fetch_add(1, Ordering::Relaxed) + 1;
        let refuse_from = meter.refuse_from.load(Ordering::Relaxed);
        if layout.size() == 0 {
            meter.wrong("asked for nothing".into());
        }
        if refuse_from != 0 && ask >= refuse_from {
            return None;
        }
        let refuse_above = meter.refuse_above.load(Ordering::Relaxed);
        if refuse_above != 0 && layout.size() > refuse_above {
            return None;
        }
        // SAFETY: the size is not zero.
        let block = NonNull::new(unsafe { alloc(layout) })?;
        // SAFETY: fresh memory of that size.
        unsafe { block.write_bytes(FRESH, layout.size()) };
        meter
            .live
            .lock()
            .unwrap()
            .insert(block.addr().get(), layout);
        Some(block)
    }

    unsafe fn deallocate(&self, block: NonNull<u8>, layout: Layout) {
        let meter = Arc::clone(&self.meter);
        let address = block.addr().get();
        let was = meter.live.lock().unwrap().remove(&address);
        if was != Some(layout) {
            meter.wrong(format!("gave back {layout:?} which was {was:?}"));
            return;
        }
        if meter.log_memory.load(Ordering::Relaxed) {
            meter.log.add("memory is given back");
        }
        // SAFETY: ours until freed below, and nobody uses it any more, says the caller.
        unsafe { block.write_bytes(GONE, layout.size()) };
        if meter.defer_at_once.load(Ordering::Relaxed) {
            meter
                .kept
                .lock()
                .unwrap()
                .push((block.as_ptr().expose_provenance(), layout));
        } else {
            // SAFETY: it was live with this layout.
            unsafe { dealloc(block.as_ptr(), layout) };
        }
    }

    unsafe fn defer(&self, node: *mut Self::Deferred, run: DeferredEntry, argument: *mut ()) {
        let meter = Arc::clone(&self.meter);
        if !meter.defer_at_once.load(Ordering::Relaxed) {
            // SAFETY: the caller's promise.
            return unsafe { self.inner.defer(node, run, argument) };
        }
        let argument = argument.expose_provenance();
        std::thread::spawn(move || {
            // SAFETY: once; `run` is sound on any thread, and this one may sleep and is no callback.
            unsafe { run(core::ptr::with_exposed_provenance_mut(argument)) }
        })
        .join()
        .unwrap();
        // A platform is used until its method returns: it must not be gone with the storage that `run` freed. A raw, volatile
        // read: that memory is kept mapped.
        // SAFETY: mapped, as said.
        let canary = unsafe { (&raw const self.canary).read_volatile() };
        if canary != CANARY {
            meter.wrong("the platform was freed inside `defer`".into());
        }
    }

    fn timers(&self) -> &Self {
        self
    }

    fn pause(&self, cx: MaySleep<'_>, round: u32) {
        if let Some(f) = &*self.meter.at_pause.lock().unwrap() {
            f();
        }
        self.inner.pause(cx, round);
    }

    fn trace(&self, event: &Event<'_>) {
        self.meter.log.add(event.to_string());
        self.inner.trace(event);
    }
}
