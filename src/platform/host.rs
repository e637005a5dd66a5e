//! Threads and real time: the platform of user-space drivers, and the default for tests.

use std::boxed::Box;
use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;

use core::alloc::Layout;
use core::fmt;
use core::marker::PhantomData;
use core::ptr::NonNull;
use core::time::Duration;

use crate::context::{ContextId, MaySleep};
use crate::event::Event;
use crate::platform::deferred::{DeferredNode, DeferredQueue};
use crate::platform::heap;
use crate::platform::monitor::lock;
use crate::platform::threads::pause;
use crate::platform::unwind::catch;
use crate::platform::{
    contexts, Bus, DeferredEntry, Dma, Emulated, EmulatedDma, HostSections, HostTimers, LineIrqs,
    Platform, StdRawLock, Threads,
};
use crate::time::Instant;
use crate::timer::Clock;

type Tracer = dyn Fn(&Event<'_>) + Send + Sync;

/// A process with threads: callbacks run on timer threads, at real time; nothing polls.
///
/// Each value made by [`new`](Host::new) has two threads of its own, which end with its last clone: one for timers, one for removals that were put
/// off. The first interrupt handler brings a third, on which all of them run. [`builder`](Host::builder) makes one with more timer threads. `B` is the bus on which its
/// devices are, and `D` how they reach memory: models of devices unless said otherwise, which have a
/// [`DmaSpace`](crate::platform::DmaSpace) each. What `D` must know of a device is in its [`Dma::Device`]; the value itself is a default one.
///
/// Events go to standard error if they are about something wrong (a panic, a stall, a refused restart, a storm), else nowhere; see
/// [`with_tracer`](Host::with_tracer).
///
/// # Timer threads
/// Each has a queue of its own, with a lock of its own. What a callback starts goes to the queue of its thread; what any other thread starts goes to
/// one that depends on the thread. So with several, callbacks of different timers run at the same time, and one that lasts does not hold off
/// all the others; the callback of one timer never runs beside itself.
///
/// On Linux these threads ask for a timer slack of 1 ns (prctl(2)): an ordinary thread's sleeps may be late by 50 µs.
///
/// # Modes
/// [`Clock::Monotonic`] begins with the host. [`Clock::RealTime`] is the system's; when that is set, timers that wait for it notice within a second.
/// [`Clock::BootTime`] is there on Linux; what falls due while the machine is suspended expires within a second of its waking up. Timers by these, and soft
/// ones, have a queue and a thread of their own for each combination, started when the first such timer is registered: so a hard timer
/// never waits for the callback of a soft one. A pinned timer stays with the thread that it was first started for.
///
/// # Work
/// All [work](crate::work) has one thread, started when the first is registered, and is called there one after the other.
pub struct Host<B: Bus = Emulated, D: Dma = EmulatedDma> {
    handle: Arc<Handle>,
    dma: D,
    _bus: PhantomData<fn() -> B>,
}

/// What the clones of a host share. The threads hold only parts of it, so that its drop can end them.
struct Handle {
    timers: HostTimers,
    irqs: LineIrqs,
    deferral: Arc<Deferral>,
    /// Taken when this is dropped.
    tracer: Option<Box<Tracer>>,
}

struct Deferral {
    deferred: Mutex<Deferreds>,
    arrived: Condvar,
}

struct Deferreds {
    queue: DeferredQueue,
    stop: bool,
}

impl Host {
    /// A host of its own, whose devices are models.
    ///
    /// # Errors
    /// If its threads cannot be started.
    pub fn new() -> io::Result<Self> {
        Self::builder().build()
    }

    /// A host of another kind than [`new`](Host::new) makes.
    ///
    /// ```
    /// use driver_scope::platform::Host;
    /// let host: Host = Host::builder().timer_threads(4).tracer(|event| println!("{event}")).build()?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn builder() -> HostBuilder {
        HostBuilder {
            timer_threads: 1,
            tracer: None,
        }
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

impl<B: Bus, D: HostDma> Host<B, D> {
    /// A host whose devices are on a bus of another kind, or reach memory in another way.
    ///
    /// # Errors
    /// As for [`new`](Host::new).
    pub fn on_bus(tracer: impl Fn(&Event<'_>) + Send + Sync + 'static) -> io::Result<Self> {
        Host::builder().tracer(tracer).build()
    }

    /// Lends the proof that one may sleep.
    ///
    /// # Panics
    /// Inside a callback, where one may not; inside work as well, whose context has the proof.
    pub fn may_sleep<R>(&self, f: impl for<'c> FnOnce(MaySleep<'c>) -> R) -> R {
        assert!(!contexts::in_callback(), "a callback may not sleep");
        // SAFETY: a thread outside every callback may sleep, throughout `f`, which is generic in the lifetime. [AWAKE]
        f(unsafe { MaySleep::assume() })
    }
}

/// A [`Dma`] that a [`Host`] can have: whatever is one, and is `Copy`, so that dropping it runs nothing. There is nothing to implement.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no DMA that a `Host` can have",
    note = "it is to be `Dma`, `Copy`, `Default`, `Send` and `'static`"
)]
pub trait HostDma: Dma + Copy + Default + Send + 'static {}

impl<D: Dma + Copy + Default + Send + 'static> HostDma for D {}

/// How a [`Host`] is to be: see [`Host::builder`].
pub struct HostBuilder {
    timer_threads: usize,
    tracer: Option<Box<Tracer>>,
}

impl HostBuilder {
    /// How many threads call timers back: at least one, and at most 1024. (One unless said otherwise.)
    #[must_use]
    pub fn timer_threads(mut self, threads: usize) -> Self {
        self.timer_threads = threads;
        self
    }

    /// Who is told of every event; see [`Host::with_tracer`].
    #[must_use]
    pub fn tracer(mut self, tracer: impl Fn(&Event<'_>) + Send + Sync + 'static) -> Self {
        self.tracer = Some(Box::new(tracer));
        self
    }

    /// Makes it, with its devices on a bus of this kind, and this way to memory.
    ///
    /// # Errors
    /// If its threads cannot be started, or are to be too many.
    pub fn build<B: Bus, D: HostDma>(self) -> io::Result<Host<B, D>> {
        let complain = |event: &Event<'_>| {
            if matches!(
                event,
                Event::Panicked { .. }
                    | Event::Refused { .. }
                    | Event::Stalled { .. }
                    | Event::Storm { .. }
            ) {
                // What cannot be told is lost, and is no panic, as it would be by `eprintln!`.
                let _ = writeln!(io::stderr(), "driver-scope: {event}");
            }
        };
        let deferral = Arc::new(Deferral {
            deferred: Mutex::new(Deferreds {
                queue: DeferredQueue::new(),
                stop: false,
            }),
            arrived: Condvar::new(),
        });
        // From here on a failure ends the threads that were started already.
        let host = Host {
            handle: Arc::new(Handle {
                timers: HostTimers::start(self.timer_threads)?,
                irqs: LineIrqs::with_thread(),
                deferral: Arc::clone(&deferral),
                tracer: Some(self.tracer.unwrap_or_else(|| Box::new(complain))),
            }),
            dma: D::default(),
            _bus: PhantomData,
        };
        thread::Builder::new()
            .name("deferred".into())
            .spawn(move || deferral.run())?;
        Ok(host)
    }
}

impl fmt::Debug for HostBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostBuilder")
            .field("timer_threads", &self.timer_threads)
            .finish_non_exhaustive()
    }
}

impl<B: Bus, D: HostDma> Clone for Host<B, D> {
    fn clone(&self) -> Self {
        Host {
            handle: Arc::clone(&self.handle),
            dma: self.dma,
            _bus: PhantomData,
        }
    }
}

impl<B: Bus, D: HostDma> fmt::Debug for Host<B, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Host")
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // The threads are not joined: this may be one of them. Those of the timers are told by these.
        lock(&self.deferral.deferred).stop = true;
        self.deferral.arrived.notify_all();
        // What the tracer captured is the program's, and may panic when it is dropped (promise 8).
        let tracer = self.tracer.take();
        let _ = catch(|| drop(tracer));
    }
}

impl Deferral {
    /// Makes the calls, one after the other, until it is told to stop.
    fn run(&self) {
        let mut deferred = lock(&self.deferred);
        loop {
            if let Some(call) = deferred.queue.pop() {
                drop(deferred);
                // SAFETY: each call comes out of the queue once; this thread runs no callback and may sleep. [QUEUED]
                unsafe { call.make() };
                deferred = lock(&self.deferred);
            } else if deferred.stop {
                return;
            } else {
                deferred = self
                    .arrived
                    .wait(deferred)
                    .unwrap_or_else(PoisonError::into_inner);
            }
        }
    }
}

// SAFETY: the promises, by their numbers. 1: mutexes held for a few instructions, callable from callbacks, which are threads; deferred
// calls have their own thread. 2: the global allocator. 3: `contexts` numbers threads and nested callbacks. 4: locks do not panic
// here; a tracer is caught, in its call and in its drop. Timers are a `Monitor`'s, called by the loops of the timer threads only. [PROMISE]
unsafe impl<B: Bus, D: HostDma> Platform for Host<B, D> {
    type Bus = B;
    type RawLock = StdRawLock;
    type Timers = HostTimers;
    type Irqs = LineIrqs;
    type Dma = D;
    type Sections = HostSections;
    type Deferred = DeferredNode;

    fn allocate(&self, layout: Layout) -> Option<NonNull<u8>> {
        heap::allocate(layout)
    }

    unsafe fn deallocate(&self, block: NonNull<u8>, layout: Layout) {
        // SAFETY: the caller's promise. [CALLER]
        unsafe { heap::deallocate(block, layout) }
    }

    fn context(&self) -> ContextId {
        contexts::current()
    }

    fn is_beneath(&self, context: ContextId) -> bool {
        contexts::is_beneath(context)
    }

    fn in_callback(&self) -> bool {
        contexts::in_callback()
    }

    fn sleep(&self, _cx: MaySleep<'_>, delay: Duration) {
        thread::sleep(delay);
    }

    unsafe fn defer(&self, node: *mut DeferredNode, run: DeferredEntry, argument: *mut ()) {
        // SAFETY: the caller's promise. [CALLER]
        unsafe {
            lock(&self.handle.deferral.deferred)
                .queue
                .push(node, run, argument);
        }
        self.handle.deferral.arrived.notify_one();
    }

    fn now(&self) -> Instant {
        self.handle.timers.clocks().monotonic()
    }

    fn clock(&self, clock: Clock) -> Option<Instant> {
        self.handle.timers.clocks().read(clock)
    }

    fn irqs(&self) -> &LineIrqs {
        &self.handle.irqs
    }

    fn dma(&self) -> &D {
        &self.dma
    }

    fn timers(&self) -> &HostTimers {
        &self.handle.timers
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
