//! A platform with other read sections than its own, so that each strategy is tested on the same ground.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;

#[cfg(target_os = "linux")]
use driver_scope::platform::Membarrier;
use driver_scope::platform::{Emulated, Fenced, Fences, Host, ThreadSections, Threads};
use driver_scope::sections::{Counted, Gate, Sections, Stuck};
use driver_scope::{MaySleep, Platform};

use super::{hand_on, TestPlatform};

/// A host that counts readers in each gate's word.
pub type OnCounted = With<Host, Counted>;
/// A host whose readers note where they are, with a fence.
pub type OnFenced = With<Host, ThreadSections<Fenced>>;
/// A host whose readers note where they are, and pay for no fence.
#[cfg(target_os = "linux")]
pub type OnMembarrier = With<Host, ThreadSections<Membarrier>>;

/// Read sections that a test can make.
pub trait Strategy: Sections + 'static {
    /// Whether they can tell what the calling context is inside of, and whether a forgotten guard's thread has ended.
    const TELLS: bool;
    /// Whether two of them know nothing of each other.
    const OWN_STATE: bool;
    /// Sections in which nobody is.
    fn fresh() -> Self;
}

impl Strategy for Counted {
    const TELLS: bool = false;
    const OWN_STATE: bool = true;
    fn fresh() -> Self {
        Counted::new()
    }
}

impl<F: Fences> Strategy for ThreadSections<F> {
    const TELLS: bool = true;
    const OWN_STATE: bool = false;
    fn fresh() -> Self {
        Threads::sections()
    }
}

/// `P`, but with the read sections of `S`.
pub struct With<P, S> {
    inner: P,
    sections: Arc<S>,
}

impl<P: Clone, S> Clone for With<P, S> {
    fn clone(&self) -> Self {
        With {
            inner: self.inner.clone(),
            sections: Arc::clone(&self.sections),
        }
    }
}

impl<P: TestPlatform, S: Strategy> TestPlatform for With<P, S> {
    const REAL_TIME: bool = P::REAL_TIME;
    const TELLS: bool = S::TELLS;
    const OWN_SECTIONS: bool = S::OWN_STATE;
    fn fresh() -> Self {
        With {
            inner: P::fresh(),
            sections: Arc::new(S::fresh()),
        }
    }
    fn lend_sleep<R>(&self, f: impl for<'c> FnOnce(MaySleep<'c>) -> R) -> R {
        self.inner.lend_sleep(f)
    }
    fn meanwhile<R>(&self, f: impl FnOnce() -> R) -> R {
        self.inner.meanwhile(f)
    }
}

// SAFETY: the promises are those of `P`, to which everything but the sections is handed on; theirs are those of `S`, which all clones
// share.
unsafe impl<P: Platform<Bus = Emulated>, S: Strategy> Platform for With<P, S> {
    hand_on!(P, inner: bus, lock, memory, timers, defer, pause, trace);
    type Sections = S;
    type Deferred = P::Deferred;

    fn sections(&self) -> &S {
        &self.sections
    }
}

/// `S`, with its grace periods counted.
pub struct Counting<S> {
    inner: S,
    waits: AtomicUsize,
}

impl<S> Counting<S> {
    /// How often somebody waited for readers.
    pub fn waits(&self) -> usize {
        self.waits.load(Ordering::SeqCst)
    }
}

impl<S: Strategy> Strategy for Counting<S> {
    const TELLS: bool = S::TELLS;
    const OWN_STATE: bool = S::OWN_STATE;
    fn fresh() -> Self {
        Counting {
            inner: S::fresh(),
            waits: AtomicUsize::new(0),
        }
    }
}

// SAFETY: the promises are those of `S`, to which all of this goes.
unsafe impl<S: Strategy> Sections for Counting<S> {
    type Id = S::Id;
    type Section = S::Section;

    fn new_id(&self) -> S::Id {
        self.inner.new_id()
    }

    unsafe fn enter(&self, gate: &Gate<S::Id>) -> Option<Self::Section> {
        // SAFETY: (here and below) the caller's promise.
        unsafe { self.inner.enter(gate) }
    }

    unsafe fn leave(&self, gate: &Gate<S::Id>, section: Self::Section) {
        // SAFETY: see `enter`.
        unsafe { self.inner.leave(gate, section) }
    }

    unsafe fn enter_all(&self) -> Self::Section {
        // SAFETY: see `enter`.
        unsafe { self.inner.enter_all() }
    }

    unsafe fn leave_all(&self, section: Self::Section) {
        // SAFETY: see `enter`.
        unsafe { self.inner.leave_all(section) }
    }

    fn covers(&self, other: &Self) -> bool {
        self.inner.covers(&other.inner)
    }

    fn holds(&self, gate: Option<&Gate<S::Id>>) -> bool {
        self.inner.holds(gate)
    }

    unsafe fn wait(
        &self,
        gate: &Gate<S::Id>,
        still: &mut dyn FnMut() -> bool,
    ) -> Result<(), Stuck> {
        self.waits.fetch_add(1, Ordering::SeqCst);
        // SAFETY: see `enter`.
        unsafe { self.inner.wait(gate, still) }
    }
}
