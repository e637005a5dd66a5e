//! driver-scope's platform for the bare machine.

use core::alloc::Layout;
use core::ptr::NonNull;
use core::time::Duration;

use driver_scope::event::Event;
use driver_scope::platform::{DeferredEntry, DeferredNode};
use driver_scope::sections::Slots;
use driver_scope::{ContextId, Error, Instant, MaySleep, Platform};

use crate::machine::lock::RawSpin;
use crate::machine::{apic, clock, cpu};
use crate::report::{info, PREFIX};

pub mod bus;
pub mod dma;
pub mod memory;
pub mod messages;
pub mod sections;
pub mod timers;
pub mod worker;

use bus::Bars;
use dma::Pages;
use memory::Pool;
use messages::Messages;
use sections::Processors;
use timers::Alarms;

/// The platform. There is one machine, so values differ only in the memory that they take for scopes.
#[derive(Clone)]
pub struct Bare {
    pool: &'static Pool,
}

impl Bare {
    /// The machine, with this memory for scopes.
    pub fn new(pool: &'static Pool) -> Self {
        Bare { pool }
    }

    /// Lends the proof that one may sleep.
    ///
    /// # Panics
    /// Inside a callback, where one may not.
    pub fn may_sleep<R>(&self, f: impl for<'c> FnOnce(MaySleep<'c>) -> R) -> R {
        assert!(!self.in_callback(), "a callback may not sleep");
        // SAFETY: no handler of an interrupt, so what interrupts it can go on; `f` is generic in the lifetime. [AWAKE]
        f(unsafe { MaySleep::assume() })
    }
}

/// Every interrupt but exceptions: called by the processor that was interrupted, with interrupts masked.
pub fn interrupt(vector: usize) {
    match vector {
        apic::TIMER => timers::expire(),
        vector => messages::dispatch(vector),
    }
}

// SAFETY: the promises, by their numbers. 1: spin locks with interrupts masked, so no handler meets one that it has interrupted; deferred calls
// are made by the worker, outside all handlers. 2: `Pool`, from a `FixedMemory`. 3: a processor is one context, work on it another, a handler a third;
// handlers do not nest. 4: a panic ends the machine. Timers are a `Monitor`'s, whose entries the timers' interrupts call. [PROMISE]
unsafe impl Platform for Bare {
    type Bus = Bars;
    type RawLock = RawSpin;
    type Timers = Alarms;
    type Irqs = Messages;
    type Dma = Pages;
    type Sections = Slots<Processors>;
    type Deferred = DeferredNode;

    fn allocate(&self, layout: Layout) -> Option<NonNull<u8>> {
        self.pool.allocate(layout)
    }

    unsafe fn deallocate(&self, block: NonNull<u8>, layout: Layout) {
        // SAFETY: the caller's promise. [CALLER]
        unsafe { self.pool.deallocate(block, layout) }
    }

    fn context(&self) -> ContextId {
        match ContextId::new((sections::context() + 1) * 2) {
            Some(id) => id,
            None => unreachable!("even and not zero"),
        }
    }

    fn in_callback(&self) -> bool {
        cpu::this().depth() > 0
    }

    fn sleep(&self, _cx: MaySleep<'_>, delay: Duration) {
        timers::sleep(delay);
    }

    unsafe fn defer(&self, node: *mut DeferredNode, run: DeferredEntry, argument: *mut ()) {
        // SAFETY: the caller's promise. [CALLER]
        unsafe { worker::defer(node, run, argument) };
    }

    fn now(&self) -> Instant {
        Instant::from_nanos(clock::now())
    }

    fn timers(&self) -> &Alarms {
        &Alarms
    }

    fn irqs(&self) -> &Messages {
        &Messages
    }

    fn dma(&self) -> &Pages {
        &Pages
    }

    #[inline(always)]
    fn sections(&self) -> &Slots<Processors> {
        sections::all()
    }

    fn pause(&self, cx: MaySleep<'_>, round: u32) {
        if round < 100 {
            core::hint::spin_loop();
        } else {
            self.sleep(cx, Duration::from_micros(50));
        }
    }

    fn trace(&self, event: &Event<'_>) {
        // A panic of the driver, a stall or a refused restart is no part of a good run, and the judge takes this line as such.
        match event {
            Event::Phase { .. } | Event::Ended { .. } => {}
            _ => crate::machine::serial::line(format_args!("{PREFIX}-CHECK event FAILED {event}")),
        }
    }
}

/// An error, when a table of the machine has no place left.
fn full<T>(what: &str) -> Result<T, Error> {
    info(format_args!("no place left for {what}"));
    Err(Error::NoMemory)
}
