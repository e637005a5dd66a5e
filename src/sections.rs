//! Read sections: how users of what may be revoked are told apart from the moment in which it can be freed.
//!
//! There is one mechanism behind [`Revocable`](crate::Revocable), [`Devres`](crate::Devres) and [`Port`](crate::Port): a [`Gate`] that is open, then closed for good. A reader
//! enters it (one check), and what is behind it stays until the reader leaves. Whoever revokes closes the gate and waits for the
//! readers that are still inside: a *grace period*.
//!
//! How readers are remembered is the platform's choice, since the price differs:
//!
//! | strategy | a reader pays | needs |
//! |---|---|---|
//! | [`Counted`] | two atomic read-modify-writes on the gate's own word, which all readers share | `core` |
//! | [`Slots`] over fenced [`Readers`] | two stores into memory of its own, and a full fence | a place for each context |
//! | [`Slots`] over [`Readers`] with a remote barrier | two stores into memory of its own | likewise, and membarrier(2) or its like |
//!
//! The latter two are the same algorithm, which loom checks; they differ in which side pays for the fence. A kernel puts its sleepable
//! RCU behind [`Sections`] and has the gate's mark to check.

use core::fmt;
use core::marker::PhantomData;

use crate::platform::Platform;

mod counted;
mod gate;
mod slots;

pub use counted::Counted;
pub use gate::Gate;
pub use slots::{Cells, GateId, Readers, SlotSection, Slots, Which};

pub(crate) use gate::{GateOf, Patience, Visit};

pub(crate) mod ends {
    /// What a read section would need to be used in another context. No type has it; it is there for its message.
    #[diagnostic::on_unimplemented(
        message = "a read section ends in the context that began it",
        label = "takes a guard along",
        note = "around an `await`: end the access before it and access again after it, or run the future on one thread",
        note = "take the object along (a reference, or a clone of the `Devres` or `Port`), and enter it there"
    )]
    pub trait EndsElsewhere {}
}
use ends::EndsElsewhere;

/// What became of a [`Sections::enter_quickly`].
#[derive(Clone, Copy, Debug)]
pub enum Quick<S> {
    /// Inside.
    Entered(S),
    /// The gate is not open.
    Shut,
    /// It takes longer: ask `enter`.
    Slow,
}

/// Why a [`Sections::wait`] ended before the readers did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stuck {
    /// The caller gave up.
    GaveUp,
    /// A reader is inside for good: its guard was forgotten, by a context that has ended since.
    Leaked,
}

/// A strategy for read sections.
///
/// A section may be held across a sleep, and sections of one context may nest and end in any order. They end in the context that
/// began them.
///
/// # Safety
/// An implementation promises, for each gate:
/// 1. What is done before the gate's [`open`](Gate::is_open) mark is set happens before what a reader that `enter` let in does.
/// 2. `wait`, called after the gate was closed, returns `Ok` only when every section on the gate and every section on everything
///    (`enter_all`) that saw it open has ended; what those readers did happens before its return. It may wait for more than that.
/// 3. `enter`, `leave`, `enter_all`, `leave_all` and `holds` work from any context that the platform says they do, and do not wait; `holds(None)`
///    even where no section can be entered. The last touch of `leave` is on nothing but the gate and what outlives every scope.
/// 4. Nothing here unwinds, but for `enter_all` when there are too many sections to count, and what the `still` of `wait` does, which passes through.
pub unsafe trait Sections: Sized + Send + Sync {
    /// What tells one gate from another, if that is needed. Different for gates that exist at once; best never used again, since a section that was
    /// forgotten goes on to name its gate.
    type Id: Copy + Send + Sync;

    /// What a section must remember until its end.
    type Section: Copy;

    /// The identity of a new gate.
    fn new_id(&self) -> Self::Id;

    /// Enters a section on `gate`, if it is open.
    ///
    /// # Safety
    /// The gate stays where it is until the section has ended. The section is ended at most once, in this context; one that never is keeps
    /// every later `wait` from returning.
    unsafe fn enter(&self, gate: &Gate<Self::Id>) -> Option<Self::Section>;

    /// As [`enter`](Sections::enter), but only the common case of it, small enough to be compiled into its callers.
    ///
    /// # Safety
    /// As for `enter`.
    #[inline(always)]
    unsafe fn enter_quickly(&self, gate: &Gate<Self::Id>) -> Quick<Self::Section> {
        // SAFETY: the caller's promise. [CALLER]
        match unsafe { self.enter(gate) } {
            Some(section) => Quick::Entered(section),
            None => Quick::Shut,
        }
    }

    /// Leaves a section on a gate.
    ///
    /// # Safety
    /// `section` came from `enter` of this gate, in this context, and is not used again.
    unsafe fn leave(&self, gate: &Gate<Self::Id>, section: Self::Section);

    /// Enters a section on every gate of the strategy. It lets nobody in: whether a gate is open, its user checks
    /// afterwards, by [`Gate::is_open`].
    ///
    /// # Safety
    /// As for [`enter`](Sections::enter).
    unsafe fn enter_all(&self) -> Self::Section;

    /// Leaves a section on every gate.
    ///
    /// # Safety
    /// `section` came from `enter_all`, in this context, and is not used again.
    unsafe fn leave_all(&self, section: Self::Section);

    /// Whether a section on everything that was entered through `self` holds off the `wait`s of `other`.
    fn covers(&self, other: &Self) -> bool {
        core::ptr::eq(self, other)
    }

    /// Whether the calling context is inside a section on this gate or on everything; with no gate named, inside any. `false` if
    /// the strategy cannot tell.
    ///
    /// Nothing rests on it but that a context does not wait for itself.
    fn holds(&self, gate: Option<&Gate<Self::Id>>) -> bool;

    /// Waits for the readers of a closed gate: a grace period. `still` is called between two looks, to let time pass; it says whether
    /// to go on.
    ///
    /// # Errors
    /// Why it ended early: the readers are still there, and nothing may be freed.
    ///
    /// # Safety
    /// The gate is closed and stays where it is. The caller may sleep.
    unsafe fn wait(
        &self,
        gate: &Gate<Self::Id>,
        still: &mut dyn FnMut() -> bool,
    ) -> Result<(), Stuck>;
}

/// One read-side section for many objects of a platform.
///
/// While it lasts no [`revoke`](crate::Revocable::revoke) on this platform (on the hosted ones: in this process) and no remove of a driver with [`Devres`](crate::Devres) or ports comes to its
/// end, whatever the object. Keep it short, or use a guard of the one object. One may sleep inside.
///
/// Forgotten, it lasts for ever, and so does each such wait. (So it is with a forgotten guard, for its object. And its thread counts as one that
/// is inside a section: a [`Binding`](crate::Binding) that is dropped there is removed later.)
///
/// ```
/// use driver_scope::{platform::Sim, ReadSection, Revocable};
///
/// let sim = Sim::new();
/// let (a, b) = (Revocable::new(sim.clone(), 1), Revocable::new(sim.clone(), 2));
/// let section = ReadSection::enter(&sim);
/// let sum = a.try_access_with_guard(&section).zip(b.try_access_with_guard(&section)).map(|(a, b)| a + b);
/// assert_eq!(sum, Some(3));
/// ```
#[must_use = "the section ends as soon as it is dropped"]
pub struct ReadSection<'p, P: Platform> {
    sections: &'p P::Sections,
    section: <P::Sections as Sections>::Section,
    _not_send: PhantomData<*mut ()>,
}

impl<'p, P: Platform> ReadSection<'p, P> {
    /// Enters a section.
    ///
    /// Context: any in which the platform's sections work; every context on the hosted platforms.
    #[inline]
    pub fn enter(platform: &'p P) -> Self {
        let sections = platform.sections();
        ReadSection {
            sections,
            // SAFETY: left by `drop`, once, in this context (the section is not `Send`), or never. [INSIDE]
            section: unsafe { sections.enter_all() },
            _not_send: PhantomData,
        }
    }

    /// Whether what is behind `gate` may be used while this section lasts.
    ///
    /// # Panics
    /// If the section is of another platform, and so would protect nothing.
    #[inline]
    pub(crate) fn admits(&self, sections: &P::Sections, gate: &GateOf<P>) -> bool {
        assert!(
            self.sections.covers(sections),
            "the read section was entered on another platform than the object's"
        );
        gate.is_open()
    }
}

impl<P: Platform> Drop for ReadSection<'_, P> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: entered by `enter`, in this context, since a section is not `Send`; dropped once. [INSIDE]
        unsafe { self.sections.leave_all(self.section) }
    }
}

impl<P: Platform> fmt::Debug for ReadSection<'_, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReadSection")
    }
}

// SAFETY: never applies: no type meets the condition. [NEVER]
unsafe impl<'p, P: Platform> Send for ReadSection<'p, P> where ReadSection<'p, P>: EndsElsewhere {}
// SAFETY: as above. [NEVER]
unsafe impl<'p, P: Platform> Sync for ReadSection<'p, P> where ReadSection<'p, P>: EndsElsewhere {}
