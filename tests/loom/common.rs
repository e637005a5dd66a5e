//! What both platforms of the models are made of.

use std::alloc::{self, Layout};
use std::cell::{Cell, UnsafeCell};
use std::panic::Location;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;

use driver_scope::platform::{Bus, DeferredEntry, RawLock};
use driver_scope::{ContextId, Error, Instant, Word};
use loom::alloc::Track;
use loom::sync::{Condvar, Mutex, MutexGuard};

/// Explores `f` with at most so many preemptions per execution; the environment's `LOOM_MAX_PREEMPTIONS` overrides it.
pub fn bounded(preemptions: usize, f: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound.get_or_insert(preemptions);
    builder.check(f);
}

/// An instant, short.
pub fn at(nanos: u64) -> Instant {
    Instant::from_nanos(nanos)
}

/// Ordinary memory that contexts share: loom reports each pair of accesses that nothing orders.
#[derive(Debug)]
pub struct Plain<T>(loom::cell::UnsafeCell<T>);

// SAFETY: loom ends the model at the first access that races with another.
unsafe impl<T: Send> Sync for Plain<T> {}

impl<T: Copy> Plain<T> {
    pub fn new(value: T) -> Self {
        Plain(loom::cell::UnsafeCell::new(value))
    }

    pub fn get(&self) -> T {
        // SAFETY: loom has found no unordered write.
        self.0.with(|place| unsafe { *place })
    }

    pub fn set(&self, value: T) {
        // SAFETY: loom has found no unordered access.
        self.0.with_mut(|place| unsafe { *place = value });
    }
}

/// Adds one. What is counted this way is counted by one context at a time, or loom objects.
pub fn bump(count: &Plain<u32>) {
    count.set(count.get() + 1);
}

/// A captured or owned value whose end is watched: dropped once, and not while (or before) somebody uses it.
pub struct Guarded {
    alive: Plain<bool>,
}

impl Guarded {
    pub fn new() -> Self {
        Guarded {
            alive: Plain::new(true),
        }
    }

    /// A use of the value that writes to it: ordered against every other one and against the drop, or loom objects.
    pub fn touch(&self) {
        assert!(self.alive.get(), "used after its drop");
        self.alive.set(true);
    }

    /// A use that only reads: ordered against the drop, or loom objects.
    pub fn look(&self) {
        assert!(self.alive.get(), "used after its drop");
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        self.touch();
        self.alive.set(false);
    }
}

/// How many [`Resource`]s have been dropped. Ordinary memory: whoever looks is ordered after each drop, or loom objects.
#[derive(Clone)]
pub struct Drops(Arc<Plain<u32>>);

impl Drops {
    pub fn new() -> Self {
        Drops(Arc::new(Plain::new(0)))
    }

    pub fn get(&self) -> u32 {
        self.0.get()
    }

    pub fn resource(&self) -> Resource {
        Resource {
            guarded: Guarded::new(),
            drops: self.clone(),
        }
    }
}

/// What may be taken away from its readers: a [`Guarded`] whose drops are counted.
pub struct Resource {
    guarded: Guarded,
    drops: Drops,
}

impl Resource {
    /// A use that writes, see [`Guarded::touch`].
    pub fn touch(&self) {
        self.guarded.touch();
    }

    /// A use beside which others may read.
    pub fn look(&self) {
        self.guarded.look();
    }
}

impl Drop for Resource {
    fn drop(&mut self) {
        assert!(!in_callback(), "its drop may sleep");
        bump(&self.drops.0);
    }
}

loom::thread_local! {
    /// A number that no other thread of the process has.
    static THREAD: usize = {
        static NEXT: AtomicUsize = AtomicUsize::new(1);
        NEXT.fetch_add(1, Ordering::Relaxed)
    };
    /// How many callbacks deep the thread is.
    static DEPTH: Cell<usize> = Cell::new(0);
}

/// The number of the calling thread; not zero.
pub fn thread() -> usize {
    THREAD.with(|thread| *thread)
}

/// The context that the caller runs in.
pub fn context() -> ContextId {
    let depth = DEPTH.with(Cell::get);
    ContextId::new((thread() * 16 + depth) * 2).expect("even and not zero")
}

pub fn in_callback() -> bool {
    DEPTH.with(Cell::get) > 0
}

/// Runs `f` as a callback.
pub fn callback<R>(f: impl FnOnce() -> R) -> R {
    DEPTH.with(|depth| depth.set(depth.get() + 1));
    let result = f();
    DEPTH.with(|depth| depth.set(depth.get() - 1));
    result
}

/// What freed memory is filled with. Loom's objects find such an index out of range.
const POISON: u8 = 0xDE;

/// Memory that is poisoned when it is given back and kept until the end of the execution: whoever touches it late, finds out.
pub struct Memory {
    blocks: std::sync::Mutex<Blocks>,
}

#[derive(Default)]
struct Blocks {
    /// `Track`: what is not given back by the end of the execution is reported, even if the platform itself leaks.
    live: Vec<(NonNull<u8>, Layout, Track<()>)>,
    freed: Vec<(NonNull<u8>, Layout)>,
}

// SAFETY: the blocks are owned by whoever asked for them, and only their addresses are kept here.
unsafe impl Send for Blocks {}

impl Memory {
    pub fn new() -> Self {
        Memory {
            blocks: std::sync::Mutex::default(),
        }
    }

    fn blocks(&self) -> std::sync::MutexGuard<'_, Blocks> {
        self.blocks.lock().expect("nothing panics under it")
    }

    pub fn allocate(&self, layout: Layout) -> Option<NonNull<u8>> {
        // SAFETY: the crate never asks for a layout of size zero.
        let block = NonNull::new(unsafe { alloc::alloc(layout) })?;
        self.blocks().live.push((block, layout, Track::new(())));
        Some(block)
    }

    /// # Safety
    /// The block is not used any more.
    pub unsafe fn deallocate(&self, block: NonNull<u8>, layout: Layout) {
        let mut blocks = self.blocks();
        let place = blocks.live.iter().position(|live| live.0 == block);
        let (_, was, track) = blocks.live.swap_remove(place.expect("given back once"));
        assert_eq!(was, layout, "given back as it was asked for");
        drop(track);
        // SAFETY: a block of this size, unused.
        unsafe { block.write_bytes(POISON, layout.size()) };
        blocks.freed.push((block, layout));
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        let mut blocks = self.blocks();
        // (A panic that is under way says more than what it left behind.)
        if !std::thread::panicking() {
            assert!(blocks.live.is_empty(), "memory was not given back");
        }
        for (block, layout) in blocks.freed.drain(..) {
            // SAFETY: allocated with this layout, and given back by its owner.
            unsafe { alloc::dealloc(block.as_ptr(), layout) };
        }
    }
}

/// Stands for the memory that a platform's value lies in: a use is a read, its end is a write, so that loom finds a use that nothing
/// orders before the end. In memory that was given back even the read fails.
pub struct Canary(Plain<()>);

impl Canary {
    pub fn new() -> Self {
        Canary(Plain::new(()))
    }

    pub fn check(&self) {
        self.0.get();
    }
}

impl Drop for Canary {
    fn drop(&mut self) {
        self.0.set(());
    }
}

/// Calls to be made later, by a model's thread that asks for them.
pub struct Deferred {
    waiting: Mutex<Vec<*mut DeferredNode>>,
    arrived: Condvar,
}

/// What a platform needs to remember a call, in the caller's memory.
pub struct DeferredNode {
    run: DeferredEntry,
    argument: *mut (),
}

// SAFETY: a node is written by the one who asks and read by the one who calls, with the list's lock between them; a deferred
// call is sound on any thread.
unsafe impl Send for DeferredNode {}
// SAFETY: as above.
unsafe impl Sync for DeferredNode {}
// SAFETY: the nodes in the list are valid until called, and accessed under its lock.
unsafe impl Send for Deferred {}
// SAFETY: as above.
unsafe impl Sync for Deferred {}

impl Deferred {
    pub fn new() -> Self {
        Deferred {
            waiting: Mutex::new(Vec::new()),
            arrived: Condvar::new(),
        }
    }

    /// Puts a call on the list. The call may be made, and the node gone, as soon as this returns.
    ///
    /// # Safety
    /// That of `Platform::defer`.
    pub unsafe fn push(&self, node: *mut DeferredNode, run: DeferredEntry, argument: *mut ()) {
        // SAFETY: memory for a node, says the caller.
        unsafe { node.write(DeferredNode { run, argument }) };
        self.waiting.lock().unwrap().push(node);
    }

    pub fn notify(&self) {
        self.arrived.notify_one();
    }

    /// Waits for one call and makes it.
    pub fn run_one(&self) {
        let mut waiting = self.waiting.lock().unwrap();
        while waiting.is_empty() {
            waiting = self.arrived.wait(waiting).unwrap();
        }
        Self::run_first(waiting);
    }

    /// Makes one call, if there is one.
    pub fn try_run_one(&self) -> bool {
        let waiting = self.waiting.lock().unwrap();
        let any = !waiting.is_empty();
        if any {
            Self::run_first(waiting);
        }
        any
    }

    fn run_first(mut waiting: MutexGuard<'_, Vec<*mut DeferredNode>>) {
        // SAFETY: nodes on the list are valid.
        let DeferredNode { run, argument } = unsafe { ptr::read(waiting.remove(0)) };
        drop(waiting);
        // SAFETY: taken off the list, so once; a model's thread may sleep here.
        unsafe { run(argument) };
    }
}

/// A lock made of loom's.
pub struct LoomRawLock {
    mutex: Mutex<()>,
    /// The holder's guard. `'static` stands for as long as `mutex` is locked.
    guard: UnsafeCell<Option<MutexGuard<'static, ()>>>,
}

// SAFETY: `guard` is accessed by the holder of `mutex` only. The guard is of a lock of loom, whose threads all live on one thread
// of the system.
unsafe impl Send for LoomRawLock {}
// SAFETY: as above.
unsafe impl Sync for LoomRawLock {}

// SAFETY: loom's mutex excludes and orders; `unlock` is what gives it back.
unsafe impl RawLock for LoomRawLock {
    type Saved = ();

    fn new(_made_at: &'static Location<'static>) -> Self {
        LoomRawLock {
            mutex: Mutex::new(()),
            guard: UnsafeCell::new(None),
        }
    }

    fn lock(&self) {
        let guard = self.mutex.lock().unwrap();
        // SAFETY: the guard is dropped before `self` is (`unlock`), and the mutex is locked, so the slot is ours.
        unsafe {
            *self.guard.get() = Some(std::mem::transmute::<
                MutexGuard<'_, ()>,
                MutexGuard<'static, ()>,
            >(guard))
        };
    }

    unsafe fn unlock(&self, _saved: ()) {
        // SAFETY: the caller holds the lock.
        let guard = unsafe { (*self.guard.get()).take() };
        drop(guard);
    }
}

/// No devices: the models are about callbacks.
pub enum NoBus {}

// SAFETY: nothing can be mapped, so nothing is promised.
unsafe impl Bus for NoBus {
    type Region = ();
    type Mapping = ();
    type Io = ();

    fn map((): &()) -> Result<(), Error> {
        Err(Error::Unsupported)
    }

    fn size((): &()) -> usize {
        0
    }

    fn io((): &()) {}

    unsafe fn part((): (), _offset: usize) {}

    unsafe fn read<T: Word>((): (), _offset: usize) -> T {
        unreachable!("nothing can be mapped")
    }

    unsafe fn read_relaxed<T: Word>((): (), _offset: usize) -> T {
        unreachable!("nothing can be mapped")
    }

    unsafe fn write<T: Word>((): (), _offset: usize, _value: T) {
        unreachable!("nothing can be mapped")
    }

    unsafe fn write_relaxed<T: Word>((): (), _offset: usize, _value: T) {
        unreachable!("nothing can be mapped")
    }
}
