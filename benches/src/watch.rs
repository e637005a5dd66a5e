//! Read sections whose waits are counted and timed, or left out.

use std::fmt;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, Ordering};

use driver_scope::sections::{Gate, Sections, Stuck};

use crate::payload::now;
use crate::platform::Strategy;

static WAITS: AtomicU64 = AtomicU64::new(0);
static WAITED: AtomicU64 = AtomicU64::new(0);

/// How many waits there were since the last call, and how many nanoseconds they took.
pub fn take_waits() -> (u64, u64) {
    (
        WAITS.swap(0, Ordering::Relaxed),
        WAITED.swap(0, Ordering::Relaxed),
    )
}

/// The sections of `S`, watched. Without `WAIT`, who should wait does not: for measurements in which there is no reader.
pub struct Watched<S, const WAIT: bool>(PhantomData<fn() -> S>);

impl<S, const WAIT: bool> fmt::Debug for Watched<S, WAIT> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watched")
    }
}

impl<S: Strategy, const WAIT: bool> Strategy for Watched<S, WAIT> {
    type Sections = Self;
    const LETTER: char = S::LETTER;
    #[inline(always)]
    fn sections() -> &'static Self {
        &Watched(PhantomData)
    }
}

// SAFETY: those of `S`, to which everything goes; but for `wait` without `WAIT`, which is sound only while nobody is in a section: what uses
// that (`Stubbed` in the bench) has no readers.
unsafe impl<S: Strategy, const WAIT: bool> Sections for Watched<S, WAIT> {
    type Id = <S::Sections as Sections>::Id;
    type Section = <S::Sections as Sections>::Section;

    fn new_id(&self) -> Self::Id {
        S::sections().new_id()
    }

    #[inline(always)]
    unsafe fn enter(&self, gate: &Gate<Self::Id>) -> Option<Self::Section> {
        // SAFETY: (here and below) the caller's promise.
        unsafe { S::sections().enter(gate) }
    }

    #[inline(always)]
    unsafe fn leave(&self, gate: &Gate<Self::Id>, section: Self::Section) {
        // SAFETY: see `enter`.
        unsafe { S::sections().leave(gate, section) }
    }

    unsafe fn enter_all(&self) -> Self::Section {
        // SAFETY: see `enter`.
        unsafe { S::sections().enter_all() }
    }

    unsafe fn leave_all(&self, section: Self::Section) {
        // SAFETY: see `enter`.
        unsafe { S::sections().leave_all(section) }
    }

    fn covers(&self, _other: &Self) -> bool {
        true
    }

    fn holds(&self, gate: Option<&Gate<Self::Id>>) -> bool {
        S::sections().holds(gate)
    }

    unsafe fn wait(
        &self,
        gate: &Gate<Self::Id>,
        still: &mut dyn FnMut() -> bool,
    ) -> Result<(), Stuck> {
        if !WAIT {
            return Ok(());
        }
        let begin = now();
        // SAFETY: see `enter`.
        let result = unsafe { S::sections().wait(gate, still) };
        WAITED.fetch_add(now() - begin, Ordering::Relaxed);
        WAITS.fetch_add(1, Ordering::Relaxed);
        result
    }
}
