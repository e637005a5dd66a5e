// SPDX-License-Identifier: GPL-2.0

//! The platform.

use core::alloc::Layout;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;

use driver_scope::event::Event;
use driver_scope::platform::DeferredEntry;
use driver_scope::{Clock, ContextId, Instant, MaySleep, Platform};
use kernel::alloc::allocator::Kmalloc;
use kernel::alloc::{Allocator, NumaNode};
use kernel::error::Result;
use kernel::prelude::*;

use crate::alive::Alive;
use crate::bus::Pci;
use crate::dma::Coherent;
use crate::irqs::LinuxIrqs;
use crate::lock::RawSpin;
use crate::queue::{Deferred, Queue};
use crate::sections::{Srcu, SrcuSections};
use crate::timers::Hrtimers;
use crate::{context, queue, time, waiting};

/// Linux. There is one, so that nothing is in it; and only while the module is there that it was given to.
#[derive(Clone, Debug)]
pub struct Linux(());

/// What the platform needs, as long as the module is there.
pub(crate) struct Started {
    _queue: Queue,
    _sections: Srcu,
    /// Dropped last, by its place.
    _once: Once,
}

impl Started {
    /// In a module, before anything else of it.
    ///
    /// # Errors
    /// `EBUSY` if it is there already.
    pub(crate) fn new() -> Result<Self> {
        let once = Once::new()?;
        Ok(Started {
            _queue: Queue::new()?,
            _sections: Srcu::new()?,
            _once: once,
        })
    }
}

/// The mark that there is one.
struct Once;

/// Acquire and Release: the next one comes after the end of the last.
static STARTED: AtomicBool = AtomicBool::new(false);

impl Once {
    fn new() -> Result<Self> {
        if STARTED.swap(true, Ordering::Acquire) {
            return Err(EBUSY);
        }
        Ok(Once)
    }
}

impl Drop for Once {
    fn drop(&mut self) {
        STARTED.store(false, Ordering::Release);
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        Alive::wait_for_all();
    }
}

impl Linux {
    /// # Safety
    /// `Started` is there, and will be until the last scope has ended.
    pub(crate) const unsafe fn new() -> Self {
        Linux(())
    }
}

/// Lends the proof that one may sleep.
///
/// # Panics
/// Where one may not.
pub(crate) fn may_sleep<R>(f: impl for<'c> FnOnce(MaySleep<'c>) -> R) -> R {
    context::assert_may_sleep();
    // SAFETY: just looked at, as far as this kernel can tell; the callers are in the kernel's probe and remove. `f` is generic in the lifetime. [AWAKE]
    f(unsafe { MaySleep::assume() })
}

// SAFETY: the promises, by their numbers. 1: each part says so of its own; what waits looks whether it may. 2: `Kmalloc`. 3: see `context`. 4: there is no
// unwinding in the kernel. [PROMISE]
unsafe impl Platform for Linux {
    /// A panic is an oops, which ends the task.
    const PANICS_END_TASKS: bool = true;

    type Bus = Pci;
    type RawLock = RawSpin;
    type Timers = Hrtimers;
    type Irqs = LinuxIrqs;
    type Dma = Coherent;
    type Sections = SrcuSections;
    type Deferred = Deferred;

    fn allocate(&self, layout: Layout) -> Option<NonNull<u8>> {
        context::assert_may_sleep();
        let block = Kmalloc::alloc(layout, GFP_KERNEL, NumaNode::NO_NODE).ok()?;
        Some(block.cast())
    }

    unsafe fn deallocate(&self, block: NonNull<u8>, layout: Layout) {
        // SAFETY: from `allocate`, with this layout, and not used again. [CALLER]
        unsafe { Kmalloc::free(block, layout) };
    }

    fn context(&self) -> ContextId {
        context::current()
    }

    fn in_callback(&self) -> bool {
        context::in_callback()
    }

    fn sleep(&self, _cx: MaySleep<'_>, delay: Duration) {
        waiting::sleep(delay);
    }

    unsafe fn defer(&self, node: *mut Deferred, run: DeferredEntry, argument: *mut ()) {
        // SAFETY: the caller's promise. [CALLER]
        unsafe { queue::defer(node, run, argument) };
    }

    fn now(&self) -> Instant {
        Instant::from_nanos(time::monotonic())
    }

    fn clock(&self, clock: Clock) -> Option<Instant> {
        time::now(clock)
    }

    fn timers(&self) -> &Hrtimers {
        &Hrtimers
    }

    fn irqs(&self) -> &LinuxIrqs {
        &LinuxIrqs
    }

    fn dma(&self) -> &Coherent {
        &Coherent
    }

    #[inline]
    fn sections(&self) -> &SrcuSections {
        &SrcuSections
    }

    fn pause(&self, _cx: MaySleep<'_>, round: u32) {
        waiting::pause(round);
    }

    fn trace(&self, event: &Event<'_>) {
        match event {
            Event::Phase { .. } | Event::Ended { .. } => {}
            _ => pr_warn!("{}\n", core::format_args!("{event}")),
        }
    }
}
