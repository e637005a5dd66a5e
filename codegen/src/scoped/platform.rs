//! A platform in name only, so that a handle can be named where there is no operating system. There is no value of it.

use core::alloc::Layout;
use core::ptr::NonNull;
use core::time::Duration;

use driver_scope::platform::{Bus, DeferredEntry, DeviceMemory, NoDma, NoIrqs, RawLock};
use driver_scope::sections::Counted;
use driver_scope::timer::queue::{Large, Monitor, Queue};
use driver_scope::{ContextId, Error, Instant, MaySleep, Platform, Word};

/// A bus whose devices are in memory, as on a real machine.
pub enum Memory {}

// SAFETY: nothing can be mapped, so there is nothing to promise.
unsafe impl Bus for Memory {
    type Region = ();
    type Mapping = ();
    type Io = DeviceMemory;

    fn map((): &()) -> Result<(), Error> {
        Err(Error::Unsupported)
    }

    fn size((): &()) -> usize {
        0
    }

    fn io((): &()) -> DeviceMemory {
        DeviceMemory::new(NonNull::dangling())
    }

    #[inline(always)]
    unsafe fn part(io: DeviceMemory, offset: usize) -> DeviceMemory {
        // SAFETY: (this and those below) the caller's promise.
        unsafe { io.part(offset) }
    }

    #[inline(always)]
    unsafe fn read<T: Word>(io: DeviceMemory, offset: usize) -> T {
        // SAFETY: see `part`.
        unsafe { io.read(offset) }
    }

    #[inline(always)]
    unsafe fn read_relaxed<T: Word>(io: DeviceMemory, offset: usize) -> T {
        // SAFETY: see `part`.
        unsafe { io.read_relaxed(offset) }
    }

    #[inline(always)]
    unsafe fn write<T: Word>(io: DeviceMemory, offset: usize, value: T) {
        // SAFETY: see `part`.
        unsafe { io.write(offset, value) }
    }

    #[inline(always)]
    unsafe fn write_relaxed<T: Word>(io: DeviceMemory, offset: usize, value: T) {
        // SAFETY: see `part`.
        unsafe { io.write_relaxed(offset, value) }
    }
}

/// The platform.
#[derive(Clone)]
pub enum Nowhere {}

// SAFETY: there is no value, so nothing of it is ever called.
unsafe impl Platform for Nowhere {
    type Bus = Memory;
    type RawLock = NoLock;
    type Timers = Nowhere;
    type Irqs = NoIrqs;
    type Dma = NoDma;
    type Sections = Counted;
    type Deferred = ();

    fn allocate(&self, _layout: Layout) -> Option<NonNull<u8>> {
        match *self {}
    }

    unsafe fn deallocate(&self, _block: NonNull<u8>, _layout: Layout) {
        match *self {}
    }

    fn context(&self) -> ContextId {
        match *self {}
    }

    fn in_callback(&self) -> bool {
        match *self {}
    }

    fn sleep(&self, _cx: MaySleep<'_>, _delay: Duration) {
        match *self {}
    }

    unsafe fn defer(&self, _node: *mut (), _run: DeferredEntry, _argument: *mut ()) {
        match *self {}
    }

    fn now(&self) -> Instant {
        match *self {}
    }

    fn irqs(&self) -> &NoIrqs {
        match *self {}
    }

    fn dma(&self) -> &NoDma {
        match *self {}
    }

    fn timers(&self) -> &Nowhere {
        match *self {}
    }

    fn sections(&self) -> &Counted {
        match *self {}
    }
}

// SAFETY: as above.
unsafe impl Monitor for Nowhere {
    type Size = Large;

    unsafe fn with<R>(&self, _queue: usize, _f: impl FnOnce(&mut Queue) -> R) -> R {
        match *self {}
    }

    unsafe fn wait<R>(
        &self,
        _queue: usize,
        _f: impl FnMut(&mut Queue) -> Option<R>,
        _stalled: &dyn Fn(),
    ) -> R {
        match *self {}
    }

    fn alarm(&self, _queue: usize) {
        match *self {}
    }
}

/// The lock of a platform that is not there.
pub enum NoLock {}

impl Default for NoLock {
    fn default() -> Self {
        unreachable!("without a platform nobody asks for a lock")
    }
}

// SAFETY: there is no value, so nothing of it is ever called.
unsafe impl RawLock for NoLock {
    type Saved = ();

    fn lock(&self) {
        match *self {}
    }

    unsafe fn unlock(&self, (): ()) {
        match *self {}
    }
}
