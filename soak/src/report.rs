//! What has happened how often.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// A kind that may be missing only in a soak of less than this: then it is one that never did it.
pub const ALL_KINDS_AFTER: Duration = Duration::from_secs(60);

/// And only if there were so many plans: on a machine that is so busy that there are fewer, it says nothing.
pub const ALL_KINDS_OF: u64 = 500;

macro_rules! kinds {
    ($($name:ident: $text:literal,)+) => {
        /// What is counted.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Count {
            $(#[doc = $text] $name,)+
        }

        /// All of them, each with its name.
        pub const COUNTS: &[(Count, &str)] = &[$((Count::$name, $text),)+];
    };
}

kinds! {
    Plans: "plans",
    PlansOnSim: "plans on Sim, each twice",
    Counted: "plans with counted readers",
    Fenced: "plans with fenced readers",
    OwnReaders: "plans with the platform's own readers",
    Teardowns: "teardowns",
    TimerRuns: "timer callbacks",
    SoftRuns: "soft timer callbacks",
    IrqRuns: "interrupt handlers called",
    ThreadRuns: "threads of handlers called",
    WorkRuns: "work called",
    CallbackPanics: "panics in callbacks",
    DestructorPanics: "panics in destructors",
    HookPanics: "panics in hooks and removes",
    CallPanics: "panics in calls by ports",
    ProbeFailed: "probes that failed",
    ProbePanicked: "probes that panicked",
    ProbeWithoutMemory: "probes without memory",
    RegisteringFailed: "later registrations without memory",
    MemoryRefused: "blocks of memory refused",
    Children: "children bound",
    ChildUnbound: "children unbound early",
    Dropped: "handles dropped",
    Forgotten: "handles forgotten",
    Sent: "handles sent to another thread",
    Registers: "register accesses",
    Transfers: "transfers of a device",
    Faults: "transfers of a device that were refused",
    Locks: "locks taken",
    Calls: "calls by ports",
    CallsRefused: "calls by ports refused: gone",
    CallsEarly: "calls by ports refused: not bound yet",
    DevresRead: "accesses to a devres",
    DevresRefused: "accesses to a devres refused",
    DevresEarly: "devres released early",
    RevocableRead: "accesses to a revocable",
    RevocableRefused: "accesses to a revocable refused",
    Revoked: "revokes that took a value away",
    RevokedBefore: "revokes that came second",
    RevokeTimedOut: "revokes that gave up",
    Sections: "sections on everything",
    BindRefused: "binds refused in a section",
    Flushes: "flushes of work",
    Cancels: "cancels that waited, or could have",
    Synchronized: "waits for interrupt handlers",
    Deadlocks: "waits for oneself refused",
    StartsRefused: "starts refused: closed",
    SleepsDone: "sleeps that ended",
    SleepsClosed: "sleeps that the close ended",
    SleepsLeft: "sleeps dropped or forgotten while pending",
    TooManySleeps: "sleeps without a place",
    Inspected: "tables inspected",
    Registered: "registrations while bound",
    Unbound: "ends: unbound",
    DroppedBinding: "ends: binding dropped",
    DroppedInTimer: "ends: dropped in a timer's callback",
    DroppedInIrq: "ends: dropped in an interrupt handler",
    DroppedInWork: "ends: dropped in work",
    DroppedInChild: "ends: parent dropped in a callback of its child",
    Busy: "unbinds refused in work",
    DroppedInCall: "ends: dropped in a call by a port",
    DroppedInSection: "ends: dropped in a section",
    Vanished: "ends: the device vanished",
    VanishSeen: "drivers that saw it vanish",
    Unwound: "ends: the owner panicked",
    Leaked: "ends: leaked for a while",
    Entered: "ends: of enter",
}

/// How often each has happened.
pub struct Tally([AtomicU64; COUNTS.len()]);

impl Default for Tally {
    fn default() -> Self {
        Tally([const { AtomicU64::new(0) }; COUNTS.len()])
    }
}

impl Tally {
    /// Once more.
    pub fn add(&self, what: Count) {
        // Relaxed, here and below: it is only told.
        self.0[what as usize].fetch_add(1, Relaxed);
    }

    /// So often.
    #[must_use]
    pub fn get(&self, what: Count) -> u64 {
        self.0[what as usize].load(Relaxed)
    }

    /// Takes over what another has counted.
    pub fn take(&self, other: &Tally) {
        for (mine, theirs) in self.0.iter().zip(&other.0) {
            mine.fetch_add(theirs.load(Relaxed), Relaxed);
        }
    }

    fn sum(&self, of: &[Count]) -> u64 {
        of.iter().map(|&what| self.get(what)).sum()
    }

    /// A line of progress.
    #[must_use]
    pub fn line(&self, elapsed: Duration) -> String {
        let plans = self.sum(&[Count::Plans, Count::PlansOnSim]);
        format!(
            "{:5} s: {plans} plans ({:.0}/s), {} teardowns, {} callbacks, {} panics, {} accesses from outside, {} register accesses",
            elapsed.as_secs(),
            plans as f64 / elapsed.as_secs_f64().max(0.001),
            self.get(Count::Teardowns),
            self.sum(&[
                Count::TimerRuns,
                Count::SoftRuns,
                Count::IrqRuns,
                Count::ThreadRuns,
                Count::WorkRuns
            ]),
            self.sum(&[
                Count::CallbackPanics,
                Count::DestructorPanics,
                Count::HookPanics,
                Count::CallPanics,
                Count::ProbePanicked
            ]),
            self.sum(&[Count::Calls, Count::DevresRead, Count::RevocableRead]),
            self.get(Count::Registers),
        )
    }

    /// The table at the end.
    #[must_use]
    pub fn table(&self) -> String {
        COUNTS
            .iter()
            .map(|&(what, name)| format!("  {name:<48} {:>12}\n", self.get(what)))
            .collect()
    }

    /// What has never happened.
    #[must_use]
    pub fn never(&self) -> Vec<&'static str> {
        COUNTS
            .iter()
            .filter(|&&(what, _)| self.get(what) == 0)
            .map(|&(_, name)| name)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_never_happened_is_told() {
        let tally = Tally::default();
        for &(what, _) in COUNTS {
            if what != Count::Leaked {
                tally.add(what);
            }
        }
        assert_eq!(tally.never(), ["ends: leaked for a while"]);
        let all = Tally::default();
        all.add(Count::Leaked);
        all.take(&tally);
        assert!(all.never().is_empty());
        assert_eq!(all.table().lines().count(), COUNTS.len());
    }
}
