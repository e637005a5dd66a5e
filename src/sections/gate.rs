use core::fmt;
use core::marker::PhantomData;

use crate::context::MaySleep;
use crate::event::{Event, Name};
use crate::platform::Platform;
use crate::sections::{Quick, Sections, Stuck};
use crate::sync::{AtomicUsize, Ordering};
use crate::time::Instant;

/// Nobody is let in.
const SHUT: usize = 1;
/// And it stays like that.
const FOR_GOOD: usize = 2;
/// What one reader adds, where readers are counted in the word.
pub(super) const READER: usize = 4;

/// A gate on a platform.
pub(crate) type GateOf<P> = Gate<<<P as Platform>::Sections as Sections>::Id>;

/// Whether a gate with this word lets nobody in.
pub(super) fn is_shut(word: usize) -> bool {
    word & SHUT != 0
}

/// The entrance to something that may be revoked: shut at first or open, then shut for good. One word, and what the strategy tells it by;
/// platforms see it, only the crate makes it.
pub struct Gate<I> {
    word: AtomicUsize,
    id: I,
}

impl<I: Copy> Gate<I> {
    pub(crate) fn new(id: I, open: bool) -> Self {
        Gate {
            word: AtomicUsize::new(if open { 0 } else { SHUT }),
            id,
        }
    }

    /// Whether readers are let in. For strategies, and only between the begin of a section and its end: at other times the answer
    /// has no meaning a moment later.
    #[inline(always)]
    #[must_use]
    pub fn is_open(&self) -> bool {
        // Acquire: pairs with the Release in `open`.
        self.word.load(Ordering::Acquire) & SHUT == 0
    }

    /// What tells it from others.
    #[inline(always)]
    #[must_use]
    pub fn id(&self) -> I {
        self.id
    }

    pub(super) fn word(&self) -> &AtomicUsize {
        &self.word
    }

    /// Lets readers in, unless it is closed for good.
    pub(crate) fn open(&self) {
        let mut word = self.word.load(Ordering::Relaxed);
        while word & FOR_GOOD == 0 {
            // Release: pairs with the Acquire of a reader; what is behind the gate was made before. The others' counts stay.
            match self.word.compare_exchange_weak(
                word,
                word & !SHUT,
                Ordering::Release,
                Ordering::Relaxed,
            ) {
                Ok(_) => return,
                Err(now) => word = now,
            }
        }
    }

    /// Lets nobody in any more.
    pub(crate) fn close(&self) {
        // Relaxed: `Sections::wait` orders it against readers. It publishes nothing.
        self.word.fetch_or(SHUT | FOR_GOOD, Ordering::Relaxed);
    }

    /// Whether it is closed for good.
    #[inline]
    pub(crate) fn is_over(&self) -> bool {
        // Relaxed: nothing is read on the strength of it.
        self.word.load(Ordering::Relaxed) & FOR_GOOD != 0
    }

    /// Waits for the readers of this gate.
    ///
    /// # Safety
    /// The gate is closed.
    pub(crate) unsafe fn wait<P>(&self, patience: &mut Patience<'_, '_, P>) -> Result<(), Stuck>
    where
        P: Platform,
        P::Sections: Sections<Id = I>,
    {
        let sections = patience.platform.sections();
        // SAFETY: closed, says the caller; borrowed for the call; the token in `patience` proves that the caller may sleep. [CALLER]
        unsafe { sections.wait(self, &mut || patience.go_on()) }
    }
}

impl<I> fmt::Debug for Gate<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = self.word.load(Ordering::Relaxed);
        f.write_str(match (word & SHUT != 0, word & FOR_GOOD != 0) {
            (false, _) => "Gate(open)",
            (true, false) => "Gate(not open yet)",
            (true, true) => "Gate(closed)",
        })
    }
}

/// A wait for other contexts, look by look: pauses, reports, and an end to it if one was set.
pub(crate) struct Patience<'a, 'c, P: Platform> {
    platform: &'a P,
    cx: MaySleep<'c>,
    until: Option<Instant>,
    what: (&'static str, &'a Name),
    round: u32,
    /// When to report the next time; set at the first pause, since most waits need none.
    report: Option<Instant>,
}

impl<'a, 'c, P: Platform> Patience<'a, 'c, P> {
    pub(crate) fn new(
        platform: &'a P,
        cx: MaySleep<'c>,
        until: Option<Instant>,
        what: (&'static str, &'a Name),
    ) -> Self {
        Patience {
            platform,
            cx,
            until,
            what,
            round: 0,
            report: None,
        }
    }

    /// Lets a little time pass; `false` when the time that was set is over.
    pub(crate) fn go_on(&mut self) -> bool {
        const REPORT_EVERY: core::time::Duration = core::time::Duration::from_secs(1);
        let now = self.platform.now();
        if self.until.is_some_and(|until| now >= until) {
            return false;
        }
        match self.report {
            None => self.report = Some(now.saturating_add(REPORT_EVERY)),
            Some(at) if now >= at => {
                let (driver, name) = self.what;
                self.platform.trace(&Event::Stalled { driver, name });
                self.report = Some(now.saturating_add(REPORT_EVERY));
            }
            Some(_) => {}
        }
        self.platform.pause(self.cx, self.round);
        self.round = self.round.saturating_add(1);
        true
    }
}

/// A section on one gate, left when this is dropped.
pub(crate) struct Visit<'a, P: Platform> {
    sections: &'a P::Sections,
    gate: &'a GateOf<P>,
    section: <P::Sections as Sections>::Section,
    _not_send: PhantomData<*mut ()>,
}

impl<'a, P: Platform> Visit<'a, P> {
    /// Enters, if the gate is open.
    #[inline(always)]
    pub(crate) fn enter(sections: &'a P::Sections, gate: &'a GateOf<P>) -> Option<Self> {
        // SAFETY: left by `drop`, once, in this context (a visit is not `Send`), or never; the gate is borrowed until then. If the
        // visit is forgotten, the gate may go; but then nobody waits for its readers any more. [INSIDE]
        let section = unsafe { sections.enter(gate) }?;
        Some(Self::begun(sections, gate, section))
    }

    #[inline(always)]
    fn begun(
        sections: &'a P::Sections,
        gate: &'a GateOf<P>,
        section: <P::Sections as Sections>::Section,
    ) -> Self {
        Visit {
            sections,
            gate,
            section,
            _not_send: PhantomData,
        }
    }

    /// Runs `f` inside if the gate is open, else `refused`. The uncommon case (the first section of a thread, a nested one) is out of line, `f` and all: so that the
    /// common one has no registers to save for it.
    #[inline(always)]
    pub(crate) fn with<R>(
        sections: &'a P::Sections,
        gate: &'a GateOf<P>,
        f: impl FnOnce() -> R,
        refused: impl FnOnce() -> R,
    ) -> R {
        // SAFETY: as in `enter`. [INSIDE]
        match unsafe { sections.enter_quickly(gate) } {
            Quick::Entered(section) => {
                let _inside = Self::begun(sections, gate, section);
                f()
            }
            Quick::Shut => refused(),
            Quick::Slow => Self::with_slowly(sections, gate, f, refused),
        }
    }

    #[cold]
    #[inline(never)]
    fn with_slowly<R>(
        sections: &'a P::Sections,
        gate: &'a GateOf<P>,
        f: impl FnOnce() -> R,
        refused: impl FnOnce() -> R,
    ) -> R {
        match Self::enter(sections, gate) {
            Some(_inside) => f(),
            None => refused(),
        }
    }
}

impl<P: Platform> Drop for Visit<'_, P> {
    #[inline(always)]
    fn drop(&mut self) {
        // SAFETY: entered by `enter`, in this context; dropped once. [INSIDE]
        unsafe { self.sections.leave(self.gate, self.section) }
    }
}
