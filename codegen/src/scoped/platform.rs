//! A platform in name only, so that a handle can be named where there is no operating system. There is no value of it, but the compiler does not know:
//! it would leave out what needs one, and with it the entry of an interrupt handler.

use core::alloc::Layout;
use core::panic::Location;
use core::ptr::NonNull;
use core::time::Duration;

use driver_scope::platform::{
    DeferredEntry, Dma, DmaBlock, IrqEntry, IrqState, Irqs, MachineBarriers, MemoryBus, RawLock,
};
use driver_scope::sections::Counted;
use driver_scope::timer::queue::{Large, Monitor, Queue};
use driver_scope::{ContextId, Error, Instant, MaySleep, Platform};

/// A bus whose devices are in memory, as on a real machine.
pub enum Memory {}

// SAFETY: nothing can be mapped, so there is nothing to promise.
unsafe impl MemoryBus for Memory {
    type Region = ();
    type Mapping = ();
    type Barriers = MachineBarriers;

    fn map((): &()) -> Result<(), Error> {
        Err(Error::Unsupported)
    }

    fn size((): &()) -> usize {
        0
    }

    fn address((): &()) -> NonNull<u8> {
        NonNull::dangling()
    }
}

/// The platform.
#[derive(Clone)]
pub struct Nowhere(Private);

#[derive(Clone)]
struct Private;

fn nowhere() -> ! {
    unreachable!("there is no value of this platform")
}

// SAFETY: there is no value, so nothing of it is ever called.
unsafe impl Platform for Nowhere {
    type Bus = Memory;
    type RawLock = NoLock;
    type Timers = Nowhere;
    type Irqs = Lines;
    type Dma = Nowhere;
    type Sections = Counted;
    type Deferred = ();

    fn allocate(&self, _layout: Layout) -> Option<NonNull<u8>> {
        nowhere()
    }

    unsafe fn deallocate(&self, _block: NonNull<u8>, _layout: Layout) {
        nowhere()
    }

    fn context(&self) -> ContextId {
        nowhere()
    }

    fn in_callback(&self) -> bool {
        nowhere()
    }

    fn sleep(&self, _cx: MaySleep<'_>, _delay: Duration) {
        nowhere()
    }

    unsafe fn defer(&self, _node: *mut (), _run: DeferredEntry, _argument: *mut ()) {
        nowhere()
    }

    fn now(&self) -> Instant {
        nowhere()
    }

    fn irqs(&self) -> &Lines {
        &Lines
    }

    fn dma(&self) -> &Nowhere {
        nowhere()
    }

    fn timers(&self) -> &Nowhere {
        nowhere()
    }

    fn sections(&self) -> &Counted {
        nowhere()
    }
}

// SAFETY: as above; what needs no value is that of a real machine.
unsafe impl Dma for Nowhere {
    type Device = Nowhere;
    type Claim = Nowhere;
    type Barriers = MachineBarriers;

    fn claim(&self, _device: &Nowhere, _address_bits: u32) -> Result<Nowhere, Error> {
        nowhere()
    }

    fn allocate(&self, _claim: &Nowhere, _layout: Layout) -> Result<DmaBlock, Error> {
        nowhere()
    }

    unsafe fn free(&self, _claim: &Nowhere, _block: DmaBlock, _layout: Layout) {
        nowhere()
    }

    fn quiet(&self, _claim: &Nowhere) {
        nowhere()
    }
}

// SAFETY: as above.
unsafe impl Monitor for Nowhere {
    type Size = Large;

    unsafe fn with<R>(&self, _queue: usize, _f: impl FnOnce(&mut Queue) -> R) -> R {
        nowhere()
    }

    unsafe fn wait<R>(
        &self,
        _queue: usize,
        _f: impl FnMut(&mut Queue) -> Option<R>,
        _stalled: &dyn Fn(),
    ) -> R {
        nowhere()
    }

    fn alarm(&self, _queue: usize) {
        nowhere()
    }
}

/// Interrupts whose handlers go to somebody whom the compiler does not see.
pub struct Lines;

extern "Rust" {
    /// There is none: nothing here is linked.
    fn request_irq(entry: IrqEntry, context: *const ()) -> bool;
}

// SAFETY: as above.
unsafe impl Irqs for Lines {
    type Line = ();
    type Node = ();

    unsafe fn init(
        &self,
        _node: *mut (),
        (): &(),
        entry: IrqEntry,
        context: *const (),
    ) -> Result<(), Error> {
        // SAFETY: never called.
        if unsafe { request_irq(entry, context) } {
            Ok(())
        } else {
            Err(Error::Unsupported)
        }
    }

    unsafe fn enable(&self, _node: NonNull<()>) {
        nowhere()
    }

    unsafe fn disable(&self, _node: NonNull<()>) {
        nowhere()
    }

    unsafe fn state(&self, _node: NonNull<()>) -> IrqState {
        nowhere()
    }

    unsafe fn synchronize(
        &self,
        _node: NonNull<()>,
        _cx: MaySleep<'_>,
        _stalled: &dyn Fn(),
    ) -> bool {
        nowhere()
    }

    unsafe fn shut(&self, _node: NonNull<()>, _cx: MaySleep<'_>, _stalled: &dyn Fn()) -> IrqState {
        nowhere()
    }
}

/// The lock of a platform that is not there.
pub enum NoLock {}

// SAFETY: there is no value, so nothing of it is ever called.
unsafe impl RawLock for NoLock {
    type Saved = ();

    fn new(_made_at: &'static Location<'static>) -> Self {
        nowhere()
    }

    fn lock(&self) {
        nowhere()
    }

    unsafe fn unlock(&self, (): ()) {
        nowhere()
    }
}
