//! The ground that a plan stands on: `Host` or `Sim`, with the read sections that the plan wants, and with its memory counted.

use std::alloc::{alloc, dealloc};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread;

use core::alloc::Layout;
use core::ptr::NonNull;
use core::time::Duration;

use driver_scope::event::Event;
use driver_scope::platform::{
    Emulated, EmulatedDma, Fenced, Fences, Host, LineIrqs, Sim, ThreadSections, Threads,
};
use driver_scope::sections::{Counted, Sections};
use driver_scope::{MaySleep, Platform};

use crate::book::{lock, Book};
use crate::checks::Fault;
use crate::hand_on::hand_on;
use crate::plan::Lack;
use crate::report::Count;

/// A platform that plans are run on.
pub trait World: Platform<Bus = Emulated, Irqs = LineIrqs, Dma = EmulatedDma> {
    /// Whether time passes by itself, and there are threads.
    const REAL_TIME: bool;
    /// Whether read sections can tell what the calling context is inside of.
    const TELLS: bool;

    /// Lends the proof that one may sleep. Not in a callback.
    fn lend_sleep<R>(&self, f: impl for<'c> FnOnce(MaySleep<'c>) -> R) -> R;
    /// Lets time pass.
    fn pass(&self, time: Duration);
    /// What is noted.
    fn book(&self) -> &Arc<Book>;
    /// From now on memory is refused as the plan has it.
    fn refuse(&self, lack: Option<Lack>);
    /// How many blocks of memory have not been given back.
    fn live(&self) -> usize;
}

/// `Host` or `Sim`.
pub trait Base: Platform<Bus = Emulated, Irqs = LineIrqs, Dma = EmulatedDma> {
    /// See [`World::REAL_TIME`].
    const REAL_TIME: bool;
    /// See [`World::lend_sleep`].
    fn lend_sleep<R>(&self, f: impl for<'c> FnOnce(MaySleep<'c>) -> R) -> R;
    /// See [`World::pass`].
    fn pass(&self, time: Duration);
}

impl Base for Host {
    const REAL_TIME: bool = true;
    fn lend_sleep<R>(&self, f: impl for<'c> FnOnce(MaySleep<'c>) -> R) -> R {
        self.may_sleep(f)
    }
    fn pass(&self, time: Duration) {
        thread::sleep(time);
    }
}

impl Base for Sim {
    const REAL_TIME: bool = false;
    fn lend_sleep<R>(&self, f: impl for<'c> FnOnce(MaySleep<'c>) -> R) -> R {
        self.may_sleep(f)
    }
    fn pass(&self, time: Duration) {
        self.advance(time);
    }
}

/// Read sections that can be made.
pub trait Strategy: Sections + 'static {
    /// See [`World::TELLS`].
    const TELLS: bool;
    /// Sections in which nobody is.
    fn fresh() -> Self;
}

impl Strategy for Counted {
    const TELLS: bool = false;
    fn fresh() -> Self {
        Counted::new()
    }
}

impl<F: Fences> Strategy for ThreadSections<F> {
    const TELLS: bool = true;
    fn fresh() -> Self {
        Threads::sections()
    }
}

/// Readers that pay for a fence.
pub type FencedSections = ThreadSections<Fenced>;

/// `P`, with the read sections of `S`, its memory counted, and its events noted.
pub struct Ground<P, S> {
    inner: P,
    sections: Arc<S>,
    meter: Arc<Meter>,
}

struct Meter {
    book: Arc<Book>,
    live: Mutex<BTreeMap<usize, Layout>>,
    /// How many asks are left before the first that is refused, and how many are then refused.
    lack: Mutex<Option<Lack>>,
    blocks: AtomicUsize,
}

impl<P: Clone, S> Clone for Ground<P, S> {
    fn clone(&self) -> Self {
        Ground {
            inner: self.inner.clone(),
            sections: Arc::clone(&self.sections),
            meter: Arc::clone(&self.meter),
        }
    }
}

impl<P: Base, S: Strategy> Ground<P, S> {
    /// Around a platform.
    pub fn around(inner: P, book: &Arc<Book>) -> Self {
        Ground {
            inner,
            sections: Arc::new(S::fresh()),
            meter: Arc::new(Meter {
                book: Arc::clone(book),
                live: Mutex::default(),
                lack: Mutex::default(),
                blocks: AtomicUsize::new(0),
            }),
        }
    }
}

impl<P: Base, S: Strategy> World for Ground<P, S> {
    const REAL_TIME: bool = P::REAL_TIME;
    const TELLS: bool = S::TELLS;

    fn lend_sleep<R>(&self, f: impl for<'c> FnOnce(MaySleep<'c>) -> R) -> R {
        self.inner.lend_sleep(f)
    }

    fn pass(&self, time: Duration) {
        self.inner.pass(time);
    }

    fn book(&self) -> &Arc<Book> {
        &self.meter.book
    }

    fn refuse(&self, lack: Option<Lack>) {
        *lock(&self.meter.lack) = lack;
    }

    fn live(&self) -> usize {
        lock(&self.meter.live).len()
    }
}

impl Meter {
    /// Whether this ask is refused.
    fn refuses(&self) -> bool {
        let mut lack = lock(&self.lack);
        let Some(lack) = &mut *lack else {
            return false;
        };
        if lack.from > 1 {
            lack.from -= 1;
            return false;
        }
        let refused = lack.count > 0;
        lack.count = lack.count.saturating_sub(1);
        if refused {
            self.book.count(Count::MemoryRefused);
        }
        refused
    }
}

/// The layout that a block has really: aligned to more than anything in it asks for, or how much fits in a chunk would depend on where that lies, and so a plan
/// on when memory is refused.
fn aligned(layout: Layout) -> Layout {
    layout.align_to(256).expect("a block is small")
}

/// What memory looks like that nobody has written yet.
const FRESH: u8 = 0xa5;
/// What memory looks like that nobody may read any more.
const GONE: u8 = 0xdd;

// SAFETY: the promises are those of `P`, to which everything but sections and memory is handed on; those of the sections are `S`'s, which all
// clones share; memory is the global allocator's.
unsafe impl<P: Base, S: Strategy> Platform for Ground<P, S> {
    hand_on!(P, inner: bus, lock, timers, defer, pause);
    type Sections = S;
    type Deferred = P::Deferred;

    fn allocate(&self, layout: Layout) -> Option<NonNull<u8>> {
        if layout.size() == 0 || self.meter.refuses() {
            return None;
        }
        // SAFETY: the size is not zero. (So aligned, the block is no smaller.)
        let block = NonNull::new(unsafe { alloc(aligned(layout)) })?;
        // SAFETY: fresh memory of that size.
        unsafe { block.write_bytes(FRESH, layout.size()) };
        let number = self.meter.blocks.fetch_add(1, SeqCst);
        let mut live = lock(&self.meter.live);
        live.insert(block.addr().get(), layout);
        if number == 0 && self.meter.book.fault == Some(Fault::BlockKept) {
            live.insert(0, layout);
        }
        Some(block)
    }

    unsafe fn deallocate(&self, block: NonNull<u8>, layout: Layout) {
        let was = lock(&self.meter.live).remove(&block.addr().get());
        if was != Some(layout) {
            let wrong = format!("a block of {layout:?} is given back that was {was:?}");
            self.meter.book.wrong(wrong);
            return;
        }
        // SAFETY: it was live with this layout, so it was allocated as here, and nobody uses it any more, says the caller.
        unsafe {
            block.write_bytes(GONE, layout.size());
            dealloc(block.as_ptr(), aligned(layout));
        }
    }

    #[inline(always)]
    fn sections(&self) -> &S {
        &self.sections
    }

    fn trace(&self, event: &Event<'_>) {
        self.meter.book.event(event);
        self.inner.trace(event);
    }
}
