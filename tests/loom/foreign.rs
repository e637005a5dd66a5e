//! A platform whose timers are not the crate's: what an operating system written in C offers, and the glue around it that its
//! Rust platform needs.
//!
//! The C part ([`Base`]) starts timers under a lock of its own that the crate cannot see, knows nothing of a timer that is shut for
//! good, and may call one timer's function on two processors at once. It keeps state in the timer itself, atomics as in
//! `struct hrtimer`, and its last touch of a timer is to count a call down there.

use std::alloc::Layout;
use std::ptr::{addr_of, NonNull};
use std::sync::Arc;
use std::time::Duration;

use driver_scope::platform::{
    Arm, DeferredEntry, NoDma, NoIrqs, Platform, TimerEntry, TimerState, Timers, TryCancel,
};
use driver_scope::sections::Counted;
use driver_scope::{ContextId, Error, Instant, MaySleep, TimerMode};
use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use loom::sync::{Condvar, Mutex};
use loom::thread::JoinHandle;

use crate::common::{self, Deferred, DeferredNode, LoomRawLock, Memory, NoBus, Plain};

/// The C timer.
struct Foreign {
    /// Written under the base's lock, read anywhere.
    queued: AtomicBool,
    /// How many calls of `entry` have not returned. Counted up under the base's lock, down without it.
    running: AtomicUsize,
    entry: TimerEntry,
    context: *const (),
    /// Stands for all the ordinary memory of the timer: read by each call, written when it ends.
    memory: Plain<()>,
}

/// The C timer core: one queue for all processors.
struct Base {
    queue: Mutex<Vec<Armed>>,
    /// Tells waiters that a call has returned.
    ended: Condvar,
}

#[derive(Clone, Copy)]
struct Armed {
    timer: NonNull<Foreign>,
    at: Instant,
}

// SAFETY: a timer may be used from any context.
unsafe impl Send for Armed {}

impl Base {
    /// `hrtimer_start`: replaces what was armed. Knows nothing of `shut`.
    ///
    /// # Safety
    /// The timer is valid until it has been cancelled and no call of its entry is left.
    unsafe fn start(&self, timer: NonNull<Foreign>, at: Instant) {
        let mut queue = self.queue.lock().unwrap();
        queue.retain(|armed| armed.timer != timer);
        queue.push(Armed { timer, at });
        // SAFETY: valid, says the caller.
        unsafe { timer.as_ref() }
            .queued
            .store(true, Ordering::Relaxed);
    }

    /// Takes the timer out, under the lock; whether it was in.
    fn dequeue(queue: &mut Vec<Armed>, timer: NonNull<Foreign>) -> bool {
        let before = queue.len();
        queue.retain(|armed| armed.timer != timer);
        before != queue.len()
    }

    /// `hrtimer_cancel`: takes the timer out and waits for its calls.
    ///
    /// # Safety
    /// The timer is valid.
    unsafe fn cancel(&self, timer: NonNull<Foreign>) -> (bool, bool) {
        // SAFETY: valid, says the caller.
        let this = unsafe { timer.as_ref() };
        let (mut armed, mut ran) = (false, false);
        let mut queue = self.queue.lock().unwrap();
        loop {
            if Self::dequeue(&mut queue, timer) {
                this.queued.store(false, Ordering::Relaxed);
                armed = true;
            }
            // Acquire: pairs with the Release in `expire_one`.
            if this.running.load(Ordering::Acquire) == 0 {
                return (armed, ran);
            }
            ran = true;
            queue = self.ended.wait(queue).unwrap();
        }
    }

    /// One processor's interrupt: calls one timer that is due, if there is one.
    fn expire_one(&self, now: Instant) -> bool {
        let mut queue = self.queue.lock().unwrap();
        let Some(due) = queue.iter().position(|armed| armed.at <= now) else {
            return false;
        };
        let Armed { timer, at } = queue.remove(due);
        let timer = timer.as_ptr().cast_const();
        // SAFETY: armed, hence valid, until `running` is counted down again.
        let (entry, context) = unsafe {
            (*timer).queued.store(false, Ordering::Relaxed);
            (*timer).running.fetch_add(1, Ordering::Relaxed);
            (*timer).memory.get();
            ((*timer).entry, (*timer).context)
        };
        drop(queue);
        // SAFETY: `running` is counted, so the timer's shut has not returned; no lock is held.
        common::callback(|| unsafe { entry(context, at) });
        // Release: what the entry did happens before the return of a cancel that sees this. The last touch.
        // SAFETY: still counted; the raw pointer leads to the counter alone.
        unsafe { (*addr_of!((*timer).running)).fetch_sub(1, Ordering::Release) };
        // Under the lock: a canceller that saw the old number is asleep by now. Nothing of the timer is touched.
        let _queue = self.queue.lock().unwrap();
        self.ended.notify_all();
        true
    }
}

/// The Rust platform's node: the C timer, and what makes `shut` final.
pub struct ForeignNode {
    /// Whether the timer was shut. Held while arming: either the arm comes first, and the cancel in `shut` undoes it, or it sees
    /// the flag (promise 3).
    shut: Mutex<bool>,
    timer: Foreign,
}

// SAFETY: see `Armed`; the rest is atomic or behind a lock.
unsafe impl Send for ForeignNode {}
// SAFETY: as above.
unsafe impl Sync for ForeignNode {}

impl Drop for ForeignNode {
    fn drop(&mut self) {
        // Whoever still touches the node, or did with nothing that orders it before this, is found by loom.
        self.timer.memory.set(());
    }
}

#[derive(Clone)]
pub struct ForeignPlatform {
    shared: Arc<Shared>,
}

struct Shared {
    base: Base,
    deferred: Deferred,
    memory: Memory,
    sections: Counted,
}

impl ForeignPlatform {
    pub fn new() -> Self {
        ForeignPlatform {
            shared: Arc::new(Shared {
                base: Base {
                    queue: Mutex::new(Vec::new()),
                    ended: Condvar::new(),
                },
                deferred: Deferred::new(),
                memory: Memory::new(),
                sections: Counted::new(),
            }),
        }
    }

    pub fn may_sleep<R>(&self, f: impl for<'c> FnOnce(MaySleep<'c>) -> R) -> R {
        assert!(!common::in_callback());
        // SAFETY: a thread outside every callback may sleep; `f` is generic in the lifetime.
        f(unsafe { MaySleep::assume() })
    }

    /// Lets timers expire that are due at `now`, at most `limit`. Threads that do this at once are processors: they may call
    /// one timer at the same time.
    pub fn expire(&self, now: Instant, limit: usize) -> usize {
        (0..limit)
            .take_while(|_| self.shared.base.expire_one(now))
            .count()
    }

    pub fn spawn_expire(&self, now: Instant, limit: usize) -> JoinHandle<usize> {
        let platform = self.clone();
        loom::thread::spawn(move || platform.expire(now, limit))
    }

    /// Whether no timer is armed.
    pub fn is_idle(&self) -> bool {
        self.shared.base.queue.lock().unwrap().is_empty()
    }

    /// # Safety
    /// The node is valid.
    unsafe fn timer(node: NonNull<ForeignNode>) -> NonNull<Foreign> {
        // SAFETY: valid, says the caller; only ever borrowed shared.
        NonNull::from(unsafe { &node.as_ref().timer })
    }
}

// SAFETY: the promises, by their numbers. 1 and 3: `shut` sets its flag under the lock that every arm holds, then cancels and waits;
// an entry is counted in `running` before the queue's lock is let go, so the cancel either finds it armed or waits for it. 2: entries
// are called by `expire` only. 4: see `expire_one`; waiters sleep in the base.
unsafe impl Timers for ForeignPlatform {
    type Node = ForeignNode;

    unsafe fn init(
        &self,
        node: *mut ForeignNode,
        mode: TimerMode,
        entry: TimerEntry,
        context: *const (),
    ) -> Result<(), Error> {
        if mode.may_sleep() {
            return Err(Error::Unsupported);
        }
        // SAFETY: memory for a node, says the caller.
        unsafe {
            node.write(ForeignNode {
                shut: Mutex::new(false),
                timer: Foreign {
                    queued: AtomicBool::new(false),
                    running: AtomicUsize::new(0),
                    entry,
                    context,
                    memory: Plain::new(()),
                },
            });
        }
        Ok(())
    }

    unsafe fn arm(
        &self,
        node: NonNull<ForeignNode>,
        at: Instant,
        _slack: Option<Duration>,
        how: Arm,
    ) -> Result<(), Error> {
        // SAFETY: (this and the four below) the node is initialised and of this platform, says the caller, and the crate
        // shuts it before its memory goes.
        unsafe {
            let shut = node.as_ref().shut.lock().unwrap();
            if *shut {
                return Err(Error::Closed);
            }
            if how == Arm::IfIdle && node.as_ref().timer.queued.load(Ordering::Relaxed) {
                return Ok(());
            }
            self.shared.base.start(Self::timer(node), at);
            drop(shut);
        }
        Ok(())
    }

    unsafe fn state(&self, node: NonNull<ForeignNode>) -> TimerState {
        // SAFETY: see `arm`.
        let timer = unsafe { Self::timer(node) };
        let queue = self.shared.base.queue.lock().unwrap();
        let armed = queue.iter().find(|armed| armed.timer == timer);
        TimerState {
            armed: armed.is_some(),
            // SAFETY: see `arm`.
            running: unsafe { timer.as_ref() }.running.load(Ordering::Acquire) != 0,
            expires: armed.map(|armed| armed.at),
        }
    }

    unsafe fn try_cancel(&self, node: NonNull<ForeignNode>) -> TryCancel {
        // SAFETY: see `arm`.
        let timer = unsafe { Self::timer(node) };
        let mut queue = self.shared.base.queue.lock().unwrap();
        let armed = Base::dequeue(&mut queue, timer);
        // SAFETY: see `arm`.
        let this = unsafe { timer.as_ref() };
        if armed {
            this.queued.store(false, Ordering::Relaxed);
        }
        match (this.running.load(Ordering::Acquire) != 0, armed) {
            (true, _) => TryCancel::Running,
            (false, true) => TryCancel::Cancelled,
            (false, false) => TryCancel::Idle,
        }
    }

    unsafe fn cancel(
        &self,
        node: NonNull<ForeignNode>,
        _cx: MaySleep<'_>,
        _stalled: &dyn Fn(),
    ) -> bool {
        // SAFETY: see `arm`.
        let (armed, ran) = unsafe { self.shared.base.cancel(Self::timer(node)) };
        armed | ran
    }

    unsafe fn flush(
        &self,
        _node: NonNull<ForeignNode>,
        _now: Instant,
        _cx: MaySleep<'_>,
        _stalled: &dyn Fn(),
    ) -> bool {
        unreachable!("there is no work")
    }

    unsafe fn shut(
        &self,
        node: NonNull<ForeignNode>,
        _cx: MaySleep<'_>,
        _stalled: &dyn Fn(),
    ) -> TimerState {
        // SAFETY: see `arm`.
        let (armed, running) = unsafe {
            *node.as_ref().shut.lock().unwrap() = true;
            self.shared.base.cancel(Self::timer(node))
        };
        TimerState {
            armed,
            running,
            expires: None,
        }
    }
}

// SAFETY: the promises, by their numbers. 1: in a model everything may block. 2: the global allocator. 3: see `common::context`. 4: a
// panic ends the model.
unsafe impl Platform for ForeignPlatform {
    type Bus = NoBus;
    type RawLock = LoomRawLock;
    type Timers = Self;
    type Irqs = NoIrqs;
    type Dma = NoDma;
    type Sections = Counted;
    type Deferred = DeferredNode;

    fn allocate(&self, layout: Layout) -> Option<NonNull<u8>> {
        self.shared.memory.allocate(layout)
    }

    unsafe fn deallocate(&self, block: NonNull<u8>, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { self.shared.memory.deallocate(block, layout) }
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
        unsafe { self.shared.deferred.push(node, run, argument) };
        self.shared.deferred.notify();
    }

    fn now(&self) -> Instant {
        Instant::ZERO
    }

    fn sections(&self) -> &Counted {
        &self.shared.sections
    }

    fn pause(&self, _cx: MaySleep<'_>, _round: u32) {
        loom::thread::yield_now();
    }

    fn irqs(&self) -> &NoIrqs {
        &NoIrqs
    }

    fn dma(&self) -> &NoDma {
        &NoDma
    }

    fn timers(&self) -> &Self {
        self
    }
}
