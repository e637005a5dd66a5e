//! A platform for one thread, a clock that is turned by hand, and memory from a buffer.
//!
//! What a real one does besides: its alarm interrupt does what [`Tiny::advance`] does, its raw lock masks interrupts.

use core::alloc::Layout;
use core::cell::{Cell, RefCell, UnsafeCell};
use core::panic::Location;
use core::ptr::{self, NonNull};
use core::sync::atomic::{fence, AtomicBool, Ordering, Ordering::Relaxed};
use core::time::Duration;

use driver_scope::platform::{Bus, DeferredEntry, FixedMemory, NoDma, NoIrqs, RawLock};
use driver_scope::sections::Counted;
use driver_scope::timer::queue::{Due, Monitor, Queue, Small};
use driver_scope::{ContextId, Error, Instant, MaySleep, Platform, Word};

/// The machine's state: there is one machine, whatever memory a platform value takes.
pub struct Machine {
    now: Cell<Instant>,
    queue: RefCell<Queue<Small>>,
    in_callback: Cell<bool>,
    /// Calls to be made later, newest first.
    deferred: Cell<*mut Deferred>,
    sections: Counted,
}

// SAFETY: the program has one thread and no interrupts.
unsafe impl Sync for Machine {}

static MACHINE: Machine = Machine {
    now: Cell::new(Instant::ZERO),
    queue: RefCell::new(Queue::new()),
    in_callback: Cell::new(false),
    deferred: Cell::new(ptr::null_mut()),
    sections: Counted::new(),
};

/// The platform. Clones are the same.
#[derive(Clone)]
pub struct Tiny<const N: usize> {
    memory: &'static FixedMemory<N>,
}

impl<const N: usize> Tiny<N> {
    /// The machine, with this memory for scopes.
    pub fn new(memory: &'static FixedMemory<N>) -> Self {
        Tiny { memory }
    }

    /// Lends the proof that one may sleep.
    pub fn may_sleep<R>(&self, f: impl for<'c> FnOnce(MaySleep<'c>) -> R) -> R {
        assert!(!MACHINE.in_callback.get());
        // SAFETY: no callback runs; `f` is generic in the lifetime.
        f(unsafe { MaySleep::assume() })
    }

    /// Turns the clock, and does what falls due.
    pub fn advance(&self, by: Duration) {
        let until = MACHINE.now.get().saturating_add(by);
        loop {
            let due = MACHINE.queue.borrow_mut().take_due(until);
            let Due::Call(call) = due else { break };
            MACHINE.now.set(MACHINE.now.get().max(call.due()));
            MACHINE.in_callback.set(true);
            // SAFETY: just taken out, and `finished` comes next; the queue is not borrowed.
            unsafe { call.make() };
            MACHINE.in_callback.set(false);
            MACHINE.queue.borrow_mut().finished();
            while let Some(node) = NonNull::new(MACHINE.deferred.get()) {
                // SAFETY: in the list, so valid until its call is made, once, outside callbacks.
                unsafe {
                    let Deferred { next, call } = node.read();
                    MACHINE.deferred.set(next);
                    (call.0)(call.1);
                }
            }
        }
        MACHINE.now.set(until);
    }
}

// SAFETY: one thread, and the queue is borrowed for the length of a closure that does not come back here. `advance` makes each call
// that it takes out and then notes its end.
unsafe impl Monitor for Machine {
    type Size = Small;

    unsafe fn with<R>(&self, _queue: usize, f: impl FnOnce(&mut Queue<Small>) -> R) -> R {
        f(&mut self.queue.borrow_mut())
    }

    unsafe fn wait<R>(
        &self,
        queue: usize,
        f: impl FnMut(&mut Queue<Small>) -> Option<R>,
        _stalled: &dyn Fn(),
    ) -> R {
        // Who waits is not in a callback, so none runs.
        // SAFETY: the caller's promise.
        unsafe { self.with(queue, f) }.expect("nothing runs")
    }

    fn alarm(&self, _queue: usize) {
        // Here a timer interrupt would be programmed for the first expiry.
    }
}

/// A call to be made later.
pub struct Deferred {
    next: *mut Deferred,
    call: (DeferredEntry, *mut ()),
}

// SAFETY: there is one thread.
unsafe impl Send for Deferred {}
// SAFETY: there is one thread.
unsafe impl Sync for Deferred {}

/// With no interrupts there is nobody to lock out.
pub struct NoLock(AtomicBool);

// SAFETY: there is one thread; to lock twice is an error, which is found.
unsafe impl RawLock for NoLock {
    type Saved = ();
    fn new(_made_at: &'static Location<'static>) -> Self {
        NoLock(AtomicBool::new(false))
    }
    fn lock(&self) {
        assert!(!self.0.swap(true, Relaxed), "locked twice");
    }
    unsafe fn unlock(&self, (): ()) {
        self.0.store(false, Relaxed);
    }
}

// SAFETY: the promises, by their numbers. 1: nothing here waits, and there are no interrupts. 2: those of `FixedMemory`. 3: a callback is
// another context than what it interrupts, and there is one at a time. 4: only broken rules panic, and a panic ends the program.
// Timers are a `Monitor`'s, whose entries `advance` calls.
unsafe impl<const N: usize> Platform for Tiny<N> {
    type Bus = Ram;
    type RawLock = NoLock;
    type Timers = Machine;
    type Irqs = NoIrqs;
    type Dma = NoDma;
    type Sections = Counted;
    type Deferred = Deferred;

    fn allocate(&self, layout: Layout) -> Option<NonNull<u8>> {
        self.memory.allocate(layout)
    }

    unsafe fn deallocate(&self, block: NonNull<u8>, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { self.memory.deallocate(block, layout) }
    }

    fn context(&self) -> ContextId {
        let id = if MACHINE.in_callback.get() { 4 } else { 2 };
        ContextId::new(id).expect("even, and not zero")
    }

    fn in_callback(&self) -> bool {
        MACHINE.in_callback.get()
    }

    fn sleep(&self, _cx: MaySleep<'_>, delay: Duration) {
        self.advance(delay);
    }

    unsafe fn defer(&self, node: *mut Deferred, run: DeferredEntry, argument: *mut ()) {
        let next = MACHINE.deferred.replace(node);
        let call = (run, argument);
        // SAFETY: memory for a node, says the caller.
        unsafe { node.write(Deferred { next, call }) };
    }

    fn now(&self) -> Instant {
        MACHINE.now.get()
    }

    fn irqs(&self) -> &NoIrqs {
        &NoIrqs
    }

    fn dma(&self) -> &NoDma {
        &NoDma
    }

    fn timers(&self) -> &Machine {
        &MACHINE
    }

    fn sections(&self) -> &Counted {
        &MACHINE.sections
    }
}

/// A device that is plain memory.
pub struct RamRegion {
    words: UnsafeCell<[u64; 2]>,
    mapped: Cell<bool>,
}

// SAFETY: there is one thread.
unsafe impl Sync for RamRegion {}

impl RamRegion {
    /// All zero, not mapped.
    pub const fn new() -> Self {
        RamRegion {
            words: UnsafeCell::new([0; 2]),
            mapped: Cell::new(false),
        }
    }

    /// What is in it, for a look from outside.
    pub fn peek(&self, offset: usize) -> u32 {
        assert!(offset <= 12 && offset % 4 == 0);
        // SAFETY: aligned and inside.
        unsafe { u32::read_volatile(self.words.get().cast::<u8>().add(offset).cast()) }
    }
}

/// The bus: an access is one instruction, at an address.
pub enum Ram {}

/// A mapped region.
pub struct Mapped(&'static RamRegion);

impl Drop for Mapped {
    fn drop(&mut self) {
        self.0.mapped.set(false);
    }
}

/// Where a mapped region begins.
#[derive(Clone, Copy)]
pub struct Address(*mut u8);

// SAFETY: an address; accesses through it are the bus's.
unsafe impl Send for Address {}
// SAFETY: as above.
unsafe impl Sync for Address {}

// SAFETY: regions are static, 8-aligned, and mapped once at a time; volatile accesses of one thread neither tear nor race.
unsafe impl Bus for Ram {
    type Region = &'static RamRegion;
    type Mapping = Mapped;
    type Io = Address;

    fn map(region: &Self::Region) -> Result<Mapped, Error> {
        if region.mapped.replace(true) {
            return Err(Error::AlreadyMapped);
        }
        Ok(Mapped(region))
    }

    fn size(_mapping: &Mapped) -> usize {
        size_of::<[u64; 2]>()
    }

    fn io(mapping: &Mapped) -> Address {
        Address(mapping.0.words.get().cast())
    }

    unsafe fn part(io: Address, offset: usize) -> Address {
        // SAFETY: inside the region or at its end, says the caller.
        Address(unsafe { io.0.add(offset) })
    }

    unsafe fn read<T: Word>(io: Address, offset: usize) -> T {
        // SAFETY: the caller's promise.
        let value = unsafe { Self::read_relaxed(io, offset) };
        // This device is memory, and on this CPU.
        fence(Ordering::Acquire);
        value
    }

    unsafe fn read_relaxed<T: Word>(io: Address, offset: usize) -> T {
        // SAFETY: aligned and inside, says the caller.
        unsafe { T::read_volatile(io.0.add(offset).cast()) }
    }

    unsafe fn write<T: Word>(io: Address, offset: usize, value: T) {
        fence(Ordering::Release);
        // SAFETY: the caller's promise.
        unsafe { Self::write_relaxed(io, offset, value) }
    }

    unsafe fn write_relaxed<T: Word>(io: Address, offset: usize, value: T) {
        // SAFETY: aligned and inside, says the caller.
        unsafe { T::write_volatile(io.0.add(offset).cast(), value) }
    }
}
