//! What is noted of a plan: what was wrong, how often what happened, and on `Sim` a transcript.

use std::panic::panic_any;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use driver_scope::event::{Event, Phase};
use driver_scope::platform::Sim;
use driver_scope::Platform;

use crate::checks::Fault;
use crate::report::{Count, Tally};
use crate::watch::Watch;

/// The payload of a panic that a plan wants.
pub struct OnPurpose;

pub(crate) fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is noted of a plan.
#[derive(Default)]
pub struct Book {
    /// How often what happened.
    pub tally: Tally,
    wrongs: Mutex<Vec<String>>,
    /// Where the clock is that lines are stamped by; a transcript is kept if there is one.
    sim: Option<Sim>,
    lines: Mutex<Vec<String>>,
    /// Panics that were thrown on purpose, that the crate caught and told, and that came through to whoever called it.
    pub thrown: AtomicU64,
    /// See `thrown`.
    pub caught: AtomicU64,
    /// See `thrown`.
    pub passed: AtomicU64,
    /// Values that were made to be dropped once.
    pub made: AtomicU64,
    /// How many were dropped.
    pub dropped: AtomicU64,
    /// All drivers, to tell how far each is.
    watches: Mutex<Vec<Weak<Watch>>>,
    /// What is done wrong, to see that it is found.
    pub fault: Option<Fault>,
}

impl Book {
    /// For a plan on a `Sim`: with a transcript.
    #[must_use]
    pub fn with_transcript(sim: Sim) -> Self {
        Book {
            sim: Some(sim),
            ..Book::default()
        }
    }

    /// A driver is part of the plan.
    pub(crate) fn add(&self, watch: &Arc<Watch>) {
        lock(&self.watches).push(Arc::downgrade(watch));
    }

    /// With something wrong, to see that it is found.
    #[must_use]
    pub fn with_fault(fault: Fault) -> Self {
        Book {
            fault: Some(fault),
            ..Book::default()
        }
    }

    /// How far each driver is.
    #[must_use]
    pub fn state(&self) -> String {
        let watches = lock(&self.watches);
        let states = watches.iter().filter_map(Weak::upgrade);
        states.map(|watch| watch.state()).collect()
    }

    /// Something is not as it must be.
    pub fn wrong(&self, what: impl Into<String>) {
        let what = what.into();
        self.line(|| format!("WRONG: {what}"));
        lock(&self.wrongs).push(what);
    }

    /// All that was wrong.
    #[must_use]
    pub fn wrongs(&self) -> Vec<String> {
        lock(&self.wrongs).clone()
    }

    /// Once more.
    pub fn count(&self, what: Count) {
        self.tally.add(what);
    }

    /// A line of the transcript.
    pub fn line(&self, what: impl FnOnce() -> String) {
        if let Some(sim) = &self.sim {
            let line = format!("[{}] {}", sim.now(), what());
            lock(&self.lines).push(line);
        }
    }

    /// The transcript.
    #[must_use]
    pub fn transcript(&self) -> Vec<String> {
        lock(&self.lines).clone()
    }

    /// The end of the transcript.
    #[must_use]
    pub fn last_lines(&self, count: usize) -> Vec<String> {
        let lines = lock(&self.lines);
        lines[lines.len().saturating_sub(count)..].to_vec()
    }

    /// Is told what the crate tells its platform.
    pub fn event(&self, event: &Event<'_>) {
        self.line(|| event.to_string());
        match event {
            Event::Panicked { .. } => {
                self.caught.fetch_add(1, SeqCst);
            }
            Event::Phase {
                phase: Phase::Done, ..
            } => self.count(Count::Teardowns),
            _ => {}
        }
    }

    /// Panics.
    pub fn panic(&self, what: Count) -> ! {
        self.line(|| "panics".into());
        self.count(what);
        self.thrown.fetch_add(1, SeqCst);
        panic_any(OnPurpose);
    }
}
