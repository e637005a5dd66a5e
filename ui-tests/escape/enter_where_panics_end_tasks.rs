//! A scope on a stack, on a platform whose panics give stacks to others. Found when code is generated.

use core::alloc::Layout;
use core::ptr::NonNull;
use core::time::Duration;

use driver_scope::platform::{DeferredEntry, Sim};
use driver_scope::{enter, ContextId, Instant, MaySleep, Platform};

/// As Linux: an oops ends a task and nothing else.
#[derive(Clone)]
struct Oopsing(Sim);

unsafe impl Platform for Oopsing {
    const PANICS_END_TASKS: bool = true;

    type Bus = <Sim as Platform>::Bus;
    type RawLock = <Sim as Platform>::RawLock;
    type Timers = <Sim as Platform>::Timers;
    type Irqs = <Sim as Platform>::Irqs;
    type Dma = <Sim as Platform>::Dma;
    type Sections = <Sim as Platform>::Sections;
    type Deferred = <Sim as Platform>::Deferred;

    fn allocate(&self, layout: Layout) -> Option<NonNull<u8>> {
        self.0.allocate(layout)
    }
    unsafe fn deallocate(&self, block: NonNull<u8>, layout: Layout) {
        unsafe { self.0.deallocate(block, layout) }
    }
    fn context(&self) -> ContextId {
        self.0.context()
    }
    fn in_callback(&self) -> bool {
        self.0.in_callback()
    }
    fn sleep(&self, cx: MaySleep<'_>, delay: Duration) {
        self.0.sleep(cx, delay);
    }
    unsafe fn defer(&self, node: *mut Self::Deferred, run: DeferredEntry, argument: *mut ()) {
        unsafe { self.0.defer(node, run, argument) }
    }
    fn now(&self) -> Instant {
        self.0.now()
    }
    fn timers(&self) -> &Self::Timers {
        self.0.timers()
    }
    fn irqs(&self) -> &Self::Irqs {
        self.0.irqs()
    }
    fn dma(&self) -> &Self::Dma {
        self.0.dma()
    }
    fn sections(&self) -> &Self::Sections {
        self.0.sections()
    }
}

fn main() {
    let sim = Sim::new();
    sim.may_sleep(|cx| enter(Oopsing(sim.clone()), cx, &(), |_, _| ()));
}
