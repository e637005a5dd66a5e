use core::fmt;

use crate::context::MaySleep;
use crate::event::{Event, Name};
use crate::platform::Platform;
use crate::sections::{Sections, Stuck};
use crate::sync::{AtomicUsize, Ordering};
use crate::time::Instant;

/// Nobody is let in.
const SHUT: usize = 1;
/// And it stays like that.
const FOR_GOOD: usize = 2;
/// What one reader adds, where readers are counted in the word.
pub(super) const READER: usize = 4;

/// The entrance to something that may be revoked: shut at first or open, then shut for good. One word; platforms see it, only the crate
/// makes it.
pub struct Gate {
    word: AtomicUsize,
}

impl Gate {
    pub(crate) fn new(open: bool) -> Self {
        Gate {
            word: AtomicUsize::new(if open { 0 } else { SHUT }),
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

    /// Its identity while it stays where it is: even, and not zero.
    #[inline(always)]
    #[must_use]
    pub fn id(&self) -> usize {
        core::ptr::from_ref(self).addr()
    }

    pub(super) fn word(&self) -> &AtomicUsize {
        &self.word
    }

    pub(super) fn is_shut(word: usize) -> bool {
        word & SHUT != 0
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

    /// Lets nobody in any more. Says whether it was this call that closed it.
    pub(crate) fn close(&self) -> bool {
        // Relaxed: `Sections::wait` orders it against readers. It publishes nothing.
        self.word.fetch_or(SHUT | FOR_GOOD, Ordering::Relaxed) & FOR_GOOD == 0
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
    pub(crate) unsafe fn wait<P: Platform>(
        &self,
        patience: &mut Patience<'_, '_, P>,
    ) -> Result<(), Stuck> {
        let sections = patience.platform.sections();
        // SAFETY: closed, says the caller; borrowed for the call; the token in `patience` proves that the caller may sleep.
        unsafe { sections.wait(self, &mut || patience.go_on()) }
    }
}

impl fmt::Debug for Gate {
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
    gate: &'a Gate,
    section: <P::Sections as Sections>::Section,
    _not_send: core::marker::PhantomData<*mut ()>,
}

impl<'a, P: Platform> Visit<'a, P> {
    /// Enters, if the gate is open.
    #[inline(always)]
    pub(crate) fn enter(sections: &'a P::Sections, gate: &'a Gate) -> Option<Self> {
        // SAFETY: left by `drop`, once, in this context (a visit is not `Send`), or never; the gate is borrowed until then. If the
        // visit is forgotten, the gate may go; but then nobody waits for its readers any more.
        let section = unsafe { sections.enter(gate) }?;
        Some(Visit {
            sections,
            gate,
            section,
            _not_send: core::marker::PhantomData,
        })
    }
}

impl<P: Platform> Drop for Visit<'_, P> {
    #[inline(always)]
    fn drop(&mut self) {
        // SAFETY: entered by `enter`, in this context; dropped once.
        unsafe { self.sections.leave(self.gate, self.section) }
    }
}
