//! Heaps as engines: a container behind the checks that our queue makes at each start and cancel, so that the *structures* are compared.
//!
//! What is checked, and in which order, is that of `Monitor` and `Queue`: to which queue a timer belongs is read before the lock and compared under it; its mode, whether
//! it was shut or somebody waits for it, whether it is armed, its slack; whether the alarm must be set anew; whether its entry runs.

use std::cell::Cell;
use std::hint::black_box;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::heaps::Noted;
use super::subject::Timers;

/// What is noted of a timer. All but the queue is accessed under the lock.
#[derive(Default)]
pub struct Note {
    queue: AtomicU16,
    /// Zero for an ordinary one.
    mode: Cell<u8>,
    armed: Cell<bool>,
    held: Cell<u16>,
    expires: Cell<u64>,
    slack: Cell<u64>,
}

/// The entry of a timer, and its context. Not beside the note, to the advantage of the heaps: with it, a node of the pairing heap would take more than one line.
struct Entry(unsafe fn(usize), usize);

struct Behind<C> {
    container: C,
    /// What was told last when one asked what comes next.
    told: u64,
    /// The timer whose entry runs.
    running: usize,
}

pub struct Checked<C> {
    behind: Mutex<Behind<C>>,
    first: *const Note,
    timers: usize,
    entries: Box<[Entry]>,
}

// SAFETY: the notes are the container's, and live as long; all but the atomic in them is accessed under the lock.
unsafe impl<C: Send> Sync for Checked<C> {}

const NONE: usize = usize::MAX;

thread_local! {
    static FIRED: Cell<usize> = const { Cell::new(0) };
}

unsafe fn entry(context: usize) {
    FIRED.set(context);
}

impl<C: Noted<Note>> Checked<C> {
    pub fn new(container: C, timers: usize) -> Self {
        Checked {
            first: container.first_note(),
            behind: Mutex::new(Behind {
                container,
                told: u64::MAX,
                running: NONE,
            }),
            timers,
            entries: (0..timers).map(|timer| Entry(entry, timer)).collect(),
        }
    }

    #[inline(always)]
    fn lock(&self) -> MutexGuard<'_, Behind<C>> {
        self.behind.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[inline(always)]
    fn note(&self, timer: usize) -> &Note {
        assert!(timer < self.timers);
        // SAFETY: that timer's.
        unsafe { &*self.first.byte_add(timer * C::APART) }
    }
}

/// What does not happen here: a timer that moves, or was shut, or is waited for.
#[cold]
#[inline(never)]
fn unusual() -> ! {
    panic!("there is one queue, and nobody waits or shuts");
}

/// The alarm of a platform.
#[inline(never)]
fn alarm(queue: u16) {
    black_box(queue);
}

#[inline(never)]
fn round(at: u64, slack: u64) -> u64 {
    let last = at.saturating_add(slack);
    let bit = 63 - ((at.max(1) - 1) ^ last).leading_zeros();
    last & (u64::MAX << bit)
}

impl<C: Noted<Note>> Timers for Checked<C> {
    #[inline(always)]
    fn start(&self, timer: usize, at: u64) {
        let note = self.note(timer);
        let to = if note.mode.get() == 0 { 0 } else { unusual() };
        // Relaxed, here: compared under the lock.
        let queue = note.queue.load(Ordering::Relaxed);
        if queue != to {
            unusual();
        }
        let mut behind = self.lock();
        // Acquire: as in our queue, where it pairs with the store of who moves a timer. Nobody does, here.
        if note.queue.load(Ordering::Acquire) != queue || note.held.get() != 0 {
            unusual();
        }
        note.expires.set(at);
        let due = match note.slack.get() {
            0 => at,
            slack => round(at, slack),
        };
        if note.armed.replace(true) {
            behind.container.restart(timer, due);
        } else {
            behind.container.start(timer, due);
        }
        let is_first = due < behind.told;
        if is_first {
            behind.told = due;
        }
        drop(behind);
        if is_first {
            alarm(queue);
        }
    }

    #[inline(always)]
    fn cancel(&self, timer: usize) {
        let note = self.note(timer);
        // As in `start`.
        let queue = note.queue.load(Ordering::Relaxed);
        let mut behind = self.lock();
        if note.queue.load(Ordering::Acquire) != queue {
            unusual();
        }
        let was_armed = note.armed.replace(false);
        if was_armed {
            behind.container.cancel(timer);
        }
        let is_running = behind.running == timer;
        drop(behind);
        black_box((was_armed, is_running));
    }

    #[inline(always)]
    fn restart(&self, timer: usize, at: u64) {
        self.start(timer, at);
    }

    #[inline(always)]
    fn fire(&self) -> (usize, u64) {
        let mut behind = self.lock();
        assert!(behind.running == NONE, "one entry at a time");
        let (timer, _) = behind.container.fire();
        let note = self.note(timer);
        note.armed.set(false);
        behind.running = timer;
        behind.told = 0;
        let Entry(entry, context) = self.entries[timer];
        let at = note.expires.get();
        // SAFETY: it only stores a number.
        unsafe { entry(context) };
        behind.running = NONE;
        (FIRED.get(), at)
    }

    #[inline(always)]
    fn next(&self) -> u64 {
        let mut behind = self.lock();
        behind.told = behind.container.next();
        behind.told
    }
}
