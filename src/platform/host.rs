//! Threads and real time: the platform of user-space drivers, and the default for tests.

use std::alloc;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::{eprintln, io};

use core::alloc::Layout;
use core::fmt;
use core::marker::PhantomData;
use core::ptr::NonNull;
use core::time::Duration;

use crate::context::{ContextId, MaySleep};
use crate::event::Event;
use crate::platform::deferred::{DeferredNode, DeferredQueue};
use crate::platform::threads::pause;
use crate::platform::unwind::catch;
use crate::platform::{
    contexts, Bus, DeferredEntry, Emulated, HostSections, Platform, StdMonitor, StdRawLock, Threads,
};
use crate::time::Instant;
use crate::timer::queue::Due;

type Tracer = dyn Fn(&Event<'_>) + Send + Sync;

/// A process with threads: callbacks run on a timer thread, at real time; nothing polls.
///
/// Each value made by [`new`](Host::new) has two threads of its own, which end with its last clone. `B` is the bus on which its
/// devices are: models of devices unless said otherwise.
///
/// Events go to standard error if they are about something wrong (a panic, a stall, a refused restart), else nowhere; see
/// [`with_tracer`](Host::with_tracer).
pub struct Host<B: Bus = Emulated> {
    handle: Arc<Handle>,
    _bus: PhantomData<fn() -> B>,
}

/// What the clones of a host share. The threads hold only `Shared`, so that this one's drop can end them.
struct Handle {
    shared: Arc<Shared>,
    /// Taken when this is dropped.
    tracer: Option<std::boxed::Box<Tracer>>,
}

struct Shared {
    start: std::time::Instant,
    timers: StdMonitor<Stop>,
    deferred: Mutex<Deferreds>,
    deferral: Condvar,
}

/// Whether the timer thread should end.
#[derive(Debug)]
pub struct Stop(bool);

struct Deferreds {
    queue: DeferredQueue,
    stop: bool,
}

/// Nothing here runs code of a driver under a lock, so a poisoned one (a thread that was killed by its own panic) holds
/// nothing broken.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Host {
    /// A host of its own, whose devices are models.
    ///
    /// # Errors
    /// If its threads cannot be started.
    pub fn new() -> io::Result<Self> {
        Self::with_tracer(|event| {
            if matches!(
                event,
                Event::Panicked { .. } | Event::Refused { .. } | Event::Stalled { .. }
            ) {
                eprintln!("driver-scope: {event}");
            }
        })
    }

    /// A host that tells `tracer` of every event. The tracer is called by whatever context has something to tell; it should be
    /// quick, and a panic of it is swallowed.
    ///
    /// # Errors
    /// As for [`new`](Host::new).
    pub fn with_tracer(tracer: impl Fn(&Event<'_>) + Send + Sync + 'static) -> io::Result<Self> {
        Self::on_bus(tracer)
    }
}

impl<B: Bus> Host<B> {
    /// A host whose devices are on a bus of another kind.
    ///
    /// # Errors
    /// As for [`new`](Host::new).
    pub fn on_bus(tracer: impl Fn(&Event<'_>) + Send + Sync + 'static) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            start: std::time::Instant::now(),
            timers: StdMonitor::new(Stop(false)),
            deferred: Mutex::new(Deferreds {
                queue: DeferredQueue::new(),
                stop: false,
            }),
            deferral: Condvar::new(),
        });
        // From here on a failure ends the thread that was started already.
        let host = Host {
            handle: Arc::new(Handle {
                shared: Arc::clone(&shared),
                tracer: Some(std::boxed::Box::new(tracer)),
            }),
            _bus: PhantomData,
        };
        let timers = Arc::clone(&shared);
        thread::Builder::new()
            .name("hrtimers".into())
            .spawn(move || timers.run_timers())?;
        thread::Builder::new()
            .name("deferred".into())
            .spawn(move || shared.run_deferred())?;
        Ok(host)
    }

    /// Lends the proof that one may sleep.
    ///
    /// # Panics
    /// Inside a callback, where one may not.
    pub fn may_sleep<R>(&self, f: impl for<'c> FnOnce(MaySleep<'c>) -> R) -> R {
        assert!(!contexts::in_callback(), "a callback may not sleep");
        // SAFETY: a thread outside every callback may sleep, throughout `f`, which is generic in the lifetime.
        f(unsafe { MaySleep::assume() })
    }
}

impl<B: Bus> Clone for Host<B> {
    fn clone(&self) -> Self {
        Host {
            handle: Arc::clone(&self.handle),
            _bus: PhantomData,
        }
    }
}

impl<B: Bus> fmt::Debug for Host<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Host")
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // Every scope holds a clone of its host until it is torn down, so no timer is armed any more. The threads are not
        // joined: this may be one of them.
        self.shared.timers.lock().rest = Stop(true);
        self.shared.timers.alarm.notify_all();
        lock(&self.shared.deferred).stop = true;
        self.shared.deferral.notify_all();
        // What the tracer captured is the program's, and may panic when it is dropped (promise 8).
        let tracer = self.tracer.take();
        let _ = catch(|| drop(tracer));
    }
}

impl Shared {
    fn now(&self) -> Instant {
        // 584 years fit.
        Instant::from_nanos(self.start.elapsed().as_nanos() as u64)
    }

    fn run_timers(&self) {
        let monitor = &self.timers;
        let mut state = monitor.lock();
        while !state.rest.0 {
            match state.queue.take_due(self.now()) {
                Due::Call(call) => {
                    drop(state);
                    // SAFETY: just taken out, and `finished` comes next; no lock is held.
                    contexts::callback(|| unsafe { call.make() });
                    state = monitor.lock();
                    state.queue.finished();
                    monitor.ended.notify_all();
                }
                Due::At(at) => {
                    let wait = at.saturating_duration_since(self.now());
                    state = monitor
                        .alarm
                        .wait_timeout(state, wait)
                        .unwrap_or_else(PoisonError::into_inner)
                        .0;
                }
                Due::Never => {
                    state = monitor
                        .alarm
                        .wait(state)
                        .unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }

    fn run_deferred(&self) {
        let mut deferred = lock(&self.deferred);
        loop {
            if let Some(call) = deferred.queue.pop() {
                drop(deferred);
                // SAFETY: each call comes out of the queue once; this thread runs no callback and may sleep.
                unsafe { call.make() };
                deferred = lock(&self.deferred);
            } else if deferred.stop {
                return;
            } else {
                deferred = self
                    .deferral
                    .wait(deferred)
                    .unwrap_or_else(PoisonError::into_inner);
            }
        }
    }
}

// SAFETY: the promises, by their numbers. 1: mutexes held for a few instructions, callable from callbacks, which are threads; deferred
// calls have their own thread. 2: the global allocator. 3: `contexts` numbers threads and nested callbacks. 4: locks do not panic
// here; a tracer is caught, in its call and in its drop. Timers are a `Monitor`'s, called by the timer thread's loop only.
unsafe impl<B: Bus> Platform for Host<B> {
    type Bus = B;
    type RawLock = StdRawLock;
    type Timers = StdMonitor<Stop>;
    type Sections = HostSections;
    type Deferred = DeferredNode;

    fn allocate(&self, layout: Layout) -> Option<NonNull<u8>> {
        // The crate never asks for a layout of size zero, but anybody may.
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
        contexts::current()
    }

    fn in_callback(&self) -> bool {
        contexts::in_callback()
    }

    fn sleep(&self, _cx: MaySleep<'_>, delay: Duration) {
        thread::sleep(delay);
    }

    unsafe fn defer(&self, node: *mut DeferredNode, run: DeferredEntry, argument: *mut ()) {
        // SAFETY: the caller's promise.
        unsafe {
            lock(&self.handle.shared.deferred)
                .queue
                .push(node, run, argument);
        }
        self.handle.shared.deferral.notify_one();
    }

    fn now(&self) -> Instant {
        self.handle.shared.now()
    }

    fn timers(&self) -> &StdMonitor<Stop> {
        &self.handle.shared.timers
    }

    #[inline(always)]
    fn sections(&self) -> &HostSections {
        &const { Threads::sections() }
    }

    fn pause(&self, _cx: MaySleep<'_>, round: u32) {
        pause(round);
    }

    fn trace(&self, event: &Event<'_>) {
        if let Some(tracer) = &self.handle.tracer {
            let _ = catch(|| tracer(event));
        }
    }
}
