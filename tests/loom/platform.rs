//! The platform of most models: timers by the crate's own queue, behind loom's lock. Time does not pass but when a thread of the model lets
//! timers expire.

use std::alloc::Layout;
use std::cell::Cell;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::Arc;
use std::time::Duration;

use driver_scope::platform::{DeferredEntry, Platform};
use driver_scope::sections::{Counted, Slots};
use driver_scope::timer::queue::{Due, Monitor, Queue, Small};
use driver_scope::{ContextId, Error, Instant, MaySleep, TimerMode};
use loom::sync::{Condvar, Mutex};
use loom::thread::JoinHandle;

use crate::common::{self, Canary, Deferred, DeferredNode, LoomRawLock, Memory, NoBus};
use crate::dma::LoomDma;
use crate::irqs::LoomIrqs;
use crate::readers::{LoomReaders, LoomSections};

/// `S` is how its read sections are remembered.
pub struct LoomPlatform<S: LoomSections = Counted> {
    canary: Canary,
    shared: Arc<Shared<S>>,
}

pub struct Shared<S: LoomSections = Counted> {
    queues: Vec<Bank>,
    /// The queue for work, if there is one.
    work: Option<usize>,
    /// The latest instant for which timers have been let expire. A clock is nothing to race with: the machine's own atomic.
    now: AtomicU64,
    deferred: Deferred,
    memory: Memory,
    sections: S,
    readers: S::Readers,
}

/// A queue behind its lock.
struct Bank {
    queue: Mutex<Queue<Small>>,
    /// Tells waiters that an entry has ended.
    ended: Condvar,
}

loom::thread_local! {
    /// The queue for what the thread starts.
    static HERE: Cell<usize> = Cell::new(0);
}

impl<S: LoomSections> Clone for LoomPlatform<S> {
    fn clone(&self) -> Self {
        LoomPlatform {
            canary: Canary::new(),
            shared: Arc::clone(&self.shared),
        }
    }
}

impl LoomPlatform {
    /// With the strategy that has no part in most models, and one queue.
    pub fn new() -> Self {
        Self::with_sections()
    }

    /// With so many queues.
    pub fn with_queues(queues: usize) -> Self {
        Self::with(queues, false)
    }

    /// With a queue for timers and one for work.
    pub fn with_work() -> Self {
        Self::with(2, true)
    }

    /// Has work called that is due at `now`, and what that queues meanwhile; at most so much. Returns how much was.
    pub fn work(&self, now: Instant, limit: usize) -> usize {
        self.shared().now.fetch_max(now.as_nanos(), SeqCst);
        let work = self.shared().work.expect("there is a queue for work");
        self.shared().queues[work].expire(now, limit)
    }

    /// A thread that does [`work`](LoomPlatform::work) once.
    pub fn spawn_work(&self, now: Instant, limit: usize) -> JoinHandle<usize> {
        let platform = self.clone();
        loom::thread::spawn(move || platform.work(now, limit))
    }
}

impl LoomPlatform<Slots<LoomReaders>> {
    /// Tells that the calling thread ends; whether it has left every section.
    pub fn end_thread(&self) -> bool {
        self.shared().readers.end_thread()
    }
}

impl<S: LoomSections> LoomPlatform<S> {
    pub fn with_sections() -> Self {
        Self::with(1, false)
    }

    /// With so many queues, the last of which is for work, if there is to be one for that.
    fn with(queues: usize, work: bool) -> Self {
        let bank = |_| Bank {
            queue: Mutex::new(Queue::new()),
            ended: Condvar::new(),
        };
        let (sections, readers) = S::new();
        LoomPlatform {
            canary: Canary::new(),
            shared: Arc::new(Shared {
                queues: (0..queues).map(bank).collect(),
                work: work.then_some(queues - 1),
                now: AtomicU64::new(0),
                deferred: Deferred::new(),
                memory: Memory::new(),
                sections,
                readers,
            }),
        }
    }

    fn shared(&self) -> &Shared<S> {
        self.canary.check();
        &self.shared
    }

    pub fn may_sleep<R>(&self, f: impl for<'c> FnOnce(MaySleep<'c>) -> R) -> R {
        assert!(!common::in_callback());
        // SAFETY: a thread outside every callback may sleep; `f` is generic in the lifetime.
        f(unsafe { MaySleep::assume() })
    }

    /// Has what the calling thread starts from now on go to this queue.
    pub fn use_queue(&self, queue: usize) {
        HERE.with(|here| here.set(queue));
    }

    /// Lets every timer of the first queue expire that is due at `now`, those too that callbacks start meanwhile. Returns how many did.
    pub fn expire(&self, now: Instant) -> usize {
        self.expire_in(0, now)
    }

    /// The same for another queue, to which goes what the callbacks start.
    pub fn expire_in(&self, queue: usize, now: Instant) -> usize {
        self.shared().now.fetch_max(now.as_nanos(), SeqCst);
        let before = HERE.with(|here| here.replace(queue));
        let calls = self.shared().queues[queue].expire(now, usize::MAX);
        HERE.with(|here| here.set(before));
        calls
    }

    /// A thread that does [`expire_in`](LoomPlatform::expire_in) once.
    pub fn spawn_expire_in(&self, queue: usize, now: Instant) -> JoinHandle<usize> {
        let platform = self.clone();
        loom::thread::spawn(move || platform.expire_in(queue, now))
    }

    /// A thread that does [`expire`](LoomPlatform::expire) once.
    pub fn spawn_expire(&self, now: Instant) -> JoinHandle<usize> {
        self.spawn_expire_in(0, now)
    }

    /// Waits for a deferred call, and makes it.
    pub fn run_deferred(&self) {
        self.shared().deferred.run_one();
    }

    /// Makes a deferred call, if there is one.
    pub fn try_run_deferred(&self) -> bool {
        self.shared().deferred.try_run_one()
    }

    /// Whether no timer is armed.
    pub fn is_idle(&self) -> bool {
        self.shared().queues.iter().all(|bank| {
            let mut queue = bank.queue.lock().unwrap();
            queue.next_expiry().is_none() && !queue.is_busy()
        })
    }
}

impl Bank {
    fn expire(&self, now: Instant, limit: usize) -> usize {
        let mut calls = 0;
        let mut queue = self.queue.lock().unwrap();
        while calls < limit {
            if queue.is_busy() {
                // Another thread of the model is calling an entry.
                queue = self.ended.wait(queue).unwrap();
                continue;
            }
            let Due::Call(call) = queue.take_due(now) else {
                return calls;
            };
            drop(queue);
            // SAFETY: just taken out, and `finished` comes next; no lock is held.
            common::callback(|| unsafe { call.make() });
            calls += 1;
            queue = self.queue.lock().unwrap();
            queue.finished();
            self.ended.notify_all();
        }
        calls
    }
}

// SAFETY: all access to a queue is under its mutex. `expire` makes each call that it takes out, with the mutex free, then notes its
// end and wakes all waiters.
unsafe impl<S: LoomSections> Monitor for Shared<S> {
    type Size = Small;

    fn here(&self, mode: TimerMode) -> Result<usize, Error> {
        if mode.may_sleep() {
            return self.work.ok_or(Error::Unsupported);
        }
        Ok(HERE.with(Cell::get))
    }

    unsafe fn with<R>(&self, queue: usize, f: impl FnOnce(&mut Queue<Small>) -> R) -> R {
        f(&mut self.queues[queue].queue.lock().unwrap())
    }

    unsafe fn wait<R>(
        &self,
        queue: usize,
        mut f: impl FnMut(&mut Queue<Small>) -> Option<R>,
        _stalled: &dyn Fn(),
    ) -> R {
        let bank = &self.queues[queue];
        let mut queue = bank.queue.lock().unwrap();
        loop {
            if let Some(result) = f(&mut queue) {
                return result;
            }
            queue = bank.ended.wait(queue).unwrap();
        }
    }

    fn alarm(&self, _queue: usize) {
        // The threads of a model let timers expire when it suits the model.
    }
}

// SAFETY: the promises, by their numbers. 1: in a model everything may block. 2: the global allocator. 3: see `common::context`. 4: a
// panic ends the model. Timers are a `Monitor`'s, whose entries `expire` calls; what waiters sleep on is in an `Arc` that each thread
// of a model holds.
unsafe impl<S: LoomSections> Platform for LoomPlatform<S> {
    type Bus = NoBus;
    type RawLock = LoomRawLock;
    type Timers = Shared<S>;
    type Irqs = LoomIrqs;
    type Dma = LoomDma;
    type Sections = S;
    type Deferred = DeferredNode;

    fn allocate(&self, layout: Layout) -> Option<NonNull<u8>> {
        self.shared().memory.allocate(layout)
    }

    unsafe fn deallocate(&self, block: NonNull<u8>, layout: Layout) {
        assert!(
            !common::in_callback(),
            "memory is given back where one may sleep"
        );
        // SAFETY: the caller's promise.
        unsafe { self.shared().memory.deallocate(block, layout) }
    }

    fn context(&self) -> ContextId {
        common::context()
    }

    fn in_callback(&self) -> bool {
        common::in_callback()
    }

    fn sleep(&self, _cx: MaySleep<'_>, _delay: Duration) {
        loom::thread::yield_now();
    }

    unsafe fn defer(&self, node: *mut DeferredNode, run: DeferredEntry, argument: *mut ()) {
        // SAFETY: the caller's promise.
        unsafe { self.shared().deferred.push(node, run, argument) };
        // As on a real platform, a second step: the call may be over by now.
        self.shared().deferred.notify();
        // And yet the caller has lent this platform for as long as it takes.
        self.canary.check();
    }

    fn now(&self) -> Instant {
        Instant::from_nanos(self.shared().now.load(SeqCst))
    }

    fn sections(&self) -> &S {
        &self.shared().sections
    }

    fn pause(&self, _cx: MaySleep<'_>, _round: u32) {
        loom::thread::yield_now();
    }

    fn irqs(&self) -> &LoomIrqs {
        &LoomIrqs
    }

    fn dma(&self) -> &LoomDma {
        &LoomDma
    }

    fn timers(&self) -> &Shared<S> {
        self.shared()
    }
}
