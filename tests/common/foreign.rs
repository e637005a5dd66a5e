//! A platform over a timer library of C, as a kernel's would be; [`irqs`] has one for interrupts.
//!
//! [`c`] is the library: timers that are pinned, initialised in place, armed under a lock of its own, called back on its own
//! threads. It knows nothing of this crate. The rest is the glue, with what such a platform needs besides: one lock and one mark for each
//! node, so that an arm and a shut have an order.

use std::alloc;
use std::cell::Cell;
use std::sync::{Arc, Mutex};
use std::thread;

use core::alloc::Layout;
use core::cell::UnsafeCell;
use core::marker::PhantomPinned;
use core::ptr::NonNull;
use core::time::Duration;

use driver_scope::event::Event;
use driver_scope::platform::{
    Arm, DeferredEntry, Emulated, StdRawLock, TimerEntry, TimerState, Timers,
};
use driver_scope::sections::Counted;
use driver_scope::{ContextId, Error, Instant, MaySleep, Platform, TimerMode, TryCancel};

use super::machine::{BusDevice, Machine};
use super::{DeviceSide, TestPlatform};

pub mod c;
pub mod irqs;

use irqs::ForeignIrqs;

thread_local! {
    /// Whether this is a thread of the library.
    static CALLBACK: Cell<bool> = const { Cell::new(false) };
    /// Its address names the thread.
    static ANCHOR: u64 = const { 0 };
}

/// The platform. Clones are the same.
#[derive(Clone)]
pub struct Foreign(Arc<Handle>);

/// What timers hang on, the read sections, what work hangs on, the interrupts, and the memory for devices.
struct Handle(Arc<c::Base>, Counted, Arc<c::Base>, ForeignIrqs, Machine);

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.stop();
        self.2.stop();
    }
}

impl Foreign {
    /// With so many threads that call functions.
    pub fn with_processors(processors: usize) -> Self {
        let begin = std::time::Instant::now();
        Foreign(Arc::new(Handle(
            c::base(processors, begin),
            Counted::new(),
            c::base(1, begin),
            ForeignIrqs::new(),
            Machine::new(),
        )))
    }

    /// Its memory for devices.
    pub fn machine(&self) -> &Machine {
        &self.0 .4
    }

    /// Runs `f` as a callback, for a source that has threads of its own.
    pub fn callback(f: impl FnOnce()) {
        let before = CALLBACK.replace(true);
        f();
        CALLBACK.set(before);
    }

    /// How often at most the entry of one node was called at the same time.
    pub fn most_at_once(&self) -> usize {
        self.0 .0.most_at_once()
    }
}

impl TestPlatform for Foreign {
    const TELLS: bool = false;
    const OWN_SECTIONS: bool = true;
    fn fresh() -> Self {
        Foreign::with_processors(1)
    }
    fn lend_sleep<R>(&self, f: impl for<'c> FnOnce(MaySleep<'c>) -> R) -> R {
        assert!(!self.in_callback());
        // SAFETY: no callback, so one may sleep; `f` is generic in the lifetime.
        f(unsafe { MaySleep::assume() })
    }
    fn dma_device(&self) -> (BusDevice, Arc<dyn DeviceSide>) {
        let device = self.machine().device();
        (device.clone(), Arc::new(device))
    }
}

/// The glue's node: the library's timer at its front, and what the glue needs.
#[repr(C)]
pub struct ForeignTimer {
    timer: UnsafeCell<c::Hrtimer>,
    entry: TimerEntry,
    context: *const (),
    /// Whether it is shut. The lock is held while the library arms.
    shut: Mutex<bool>,
    _pinned: PhantomPinned,
}

// SAFETY: the timer is the library's, which locks; the rest is not written after the init, or is locked.
unsafe impl Send for ForeignTimer {}
// SAFETY: as above.
unsafe impl Sync for ForeignTimer {}

impl ForeignTimer {
    fn c(&self) -> *mut c::Hrtimer {
        self.timer.get()
    }
}

impl Drop for ForeignTimer {
    fn drop(&mut self) {
        // SAFETY: initialised.
        let (queued, running, _) = unsafe { c::hrtimer_look(self.c()) };
        assert!(!queued && !running && *self.shut.get_mut().unwrap());
    }
}

/// What the library calls.
unsafe extern "C" fn expired(timer: *mut c::Hrtimer, expires: u64) {
    let node = timer.cast::<ForeignTimer>();
    // SAFETY: the timer is at the front of a node that is not dropped before the library's cancel has returned; nothing is
    // touched after the entry.
    unsafe { ((*node).entry)((*node).context, Instant::from_nanos(expires)) }
}

// SAFETY: the promises, by their numbers. 1, 3: a shut marks the node under the lock that every arm holds while it calls the library,
// then cancels, which waits. 2: functions are called by the library's threads. 4: the library compares addresses afterwards.
unsafe impl Timers for Foreign {
    type Node = ForeignTimer;

    unsafe fn init(
        &self,
        node: *mut ForeignTimer,
        mode: TimerMode,
        entry: TimerEntry,
        context: *const (),
    ) -> Result<(), Error> {
        if mode != TimerMode::new() && !mode.may_sleep() {
            return Err(Error::Unsupported);
        }
        let base = match mode.may_sleep() {
            true => &self.0 .2,
            false => &self.0 .0,
        };
        // SAFETY: memory for a node, which stays where it is, says the caller. Field by field: the timer is made in place.
        unsafe {
            (&raw mut (*node).entry).write(entry);
            (&raw mut (*node).context).write(context);
            (&raw mut (*node).shut).write(Mutex::new(false));
            c::hrtimer_init(
                UnsafeCell::raw_get(&raw const (*node).timer),
                Arc::as_ptr(base),
                expired,
            );
        }
        Ok(())
    }

    unsafe fn arm(
        &self,
        node: NonNull<ForeignTimer>,
        at: Instant,
        slack: Option<Duration>,
        how: Arm,
    ) -> Result<(), Error> {
        // SAFETY: (here and below) initialised and not dropped, says the caller.
        let node = unsafe { node.as_ref() };
        let shut = node.shut.lock().unwrap();
        if *shut {
            return Err(Error::Closed);
        }
        // SAFETY: as above.
        unsafe {
            if how == Arm::Replace || !c::hrtimer_look(node.c()).0 {
                let delta = match slack {
                    Some(slack) => slack.as_nanos().try_into().unwrap_or(u64::MAX),
                    None => c::hrtimer_delta(node.c()),
                };
                c::hrtimer_start_range_ns(node.c(), at.as_nanos(), delta);
            }
        }
        Ok(())
    }

    unsafe fn state(&self, node: NonNull<ForeignTimer>) -> TimerState {
        // SAFETY: see `arm`.
        let (armed, running, expires) = unsafe { c::hrtimer_look(node.as_ref().c()) };
        TimerState {
            armed,
            running,
            expires: expires.map(Instant::from_nanos),
        }
    }

    unsafe fn try_cancel(&self, node: NonNull<ForeignTimer>) -> TryCancel {
        // SAFETY: see `arm`.
        match unsafe { c::hrtimer_try_to_cancel(node.as_ref().c()) } {
            1 => TryCancel::Cancelled,
            0 => TryCancel::Idle,
            _ => TryCancel::Running,
        }
    }

    unsafe fn cancel(
        &self,
        node: NonNull<ForeignTimer>,
        _cx: MaySleep<'_>,
        _stalled: &dyn Fn(),
    ) -> bool {
        // SAFETY: see `arm`; not in the timer's own function, says the caller.
        unsafe { c::hrtimer_cancel(node.as_ref().c()) != 0 }
    }

    unsafe fn flush(
        &self,
        node: NonNull<ForeignTimer>,
        _now: Instant,
        _cx: MaySleep<'_>,
        _stalled: &dyn Fn(),
    ) -> bool {
        // SAFETY: see `arm`; in no callback, says the caller.
        unsafe { c::hrtimer_flush(node.as_ref().c()) != 0 }
    }

    unsafe fn shut(
        &self,
        node: NonNull<ForeignTimer>,
        _cx: MaySleep<'_>,
        _stalled: &dyn Fn(),
    ) -> TimerState {
        // SAFETY: see `arm`; not in the timer's own function, says the caller.
        unsafe {
            *node.as_ref().shut.lock().unwrap() = true;
            let state = self.state(node);
            c::hrtimer_cancel(node.as_ref().c());
            state
        }
    }
}

// SAFETY: the promises, by their numbers. 1: locks held for a few instructions; a deferred call has a thread of its own. 2: the global
// allocator. 3: a thread is a context, and the library's threads do nothing but call functions. 4: asserts aside, which are what is
// tested.
unsafe impl Platform for Foreign {
    type Bus = Emulated;
    type RawLock = StdRawLock;
    type Timers = Self;
    type Irqs = ForeignIrqs;
    type Dma = Machine;
    type Sections = Counted;
    type Deferred = ();

    fn allocate(&self, layout: Layout) -> Option<NonNull<u8>> {
        if layout.size() == 0 {
            return None;
        }
        // SAFETY: not of size zero.
        NonNull::new(unsafe { alloc::alloc(layout) })
    }

    unsafe fn deallocate(&self, block: NonNull<u8>, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { alloc::dealloc(block.as_ptr(), layout) }
    }

    fn context(&self) -> ContextId {
        ContextId::new(ANCHOR.with(|anchor| core::ptr::from_ref(anchor).addr())).unwrap()
    }

    fn in_callback(&self) -> bool {
        CALLBACK.get()
    }

    fn sleep(&self, _cx: MaySleep<'_>, delay: Duration) {
        thread::sleep(delay);
    }

    unsafe fn defer(&self, _node: *mut (), run: DeferredEntry, argument: *mut ()) {
        let argument = argument.expose_provenance();
        thread::spawn(move || {
            // SAFETY: once; sound on any thread, says the caller; this one may sleep.
            unsafe { run(core::ptr::with_exposed_provenance_mut(argument)) }
        });
    }

    fn now(&self) -> Instant {
        Instant::from_nanos(self.0 .0.now())
    }

    fn irqs(&self) -> &ForeignIrqs {
        &self.0 .3
    }

    fn dma(&self) -> &Machine {
        self.machine()
    }

    fn timers(&self) -> &Self {
        self
    }

    fn sections(&self) -> &Counted {
        &self.0 .1
    }

    fn pause(&self, _cx: MaySleep<'_>, _round: u32) {
        thread::yield_now();
    }

    fn trace(&self, _event: &Event<'_>) {}
}
