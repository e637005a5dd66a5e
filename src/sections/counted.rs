use core::fmt;

use crate::sections::gate::{is_shut, READER};
use crate::sections::{Gate, Sections, Stuck};
use crate::sync::{fence, AtomicUsize, Ordering};

/// Above this many readers nobody is let in. Only guards that are forgotten, over and over, get there; without a limit their count would
/// run into the marks, and free what they read.
const MOST: usize = usize::MAX / 2;

/// Readers counted in the word of each gate: `core` alone, and no memory but that word.
///
/// One part of a platform, with one word of its own, for [`ReadSection`](crate::ReadSection)s: whoever waits, waits for a moment in which none of
/// those is open. A reader writes to a word that other readers write to as
/// well, so readers on different CPUs slow each other down.
///
/// It cannot tell who is inside. So on a platform with these sections a context that removes a driver inside one of that driver's
/// own ports, or revokes what it holds a guard of, waits for itself: a hang, reported each second. A platform that can tell (by a
/// depth kept for each context) puts its own [`Sections`] around this.
pub struct Counted {
    /// How many sections on everything are open.
    all: AtomicUsize,
}

impl Counted {
    /// No section is open.
    #[cfg(not(loom))]
    #[must_use]
    pub const fn new() -> Self {
        Counted {
            all: AtomicUsize::new(0),
        }
    }

    /// No section is open.
    #[cfg(loom)]
    #[must_use]
    pub fn new() -> Self {
        Counted {
            all: AtomicUsize::new(0),
        }
    }
}

impl Default for Counted {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Counted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Counted")
    }
}

// SAFETY: the promises, by their numbers. 1: `enter` reads the mark by an Acquire. 2: mark and count are one word, so a reader either is
// counted before the mark is set, and `wait` finds it, or sees the mark. For sections on everything, whose count is another word,
// the fences of `enter_all` and `wait` see to it that one of the two sees the other. 3: atomics only. 4: nothing unwinds. [PROMISE]
unsafe impl Sections for Counted {
    /// Each gate has its own count: nothing else tells them apart.
    type Id = ();
    type Section = ();

    fn new_id(&self) {}

    #[inline]
    unsafe fn enter(&self, gate: &Gate<()>) -> Option<()> {
        // Those that are refused must not keep a waiter from seeing the count at zero.
        if !gate.is_open() {
            return None;
        }
        // Acquire: pairs with the Release in `Gate::open`.
        let word = gate.word().fetch_add(READER, Ordering::Acquire);
        if is_shut(word) || word > MOST {
            // Relaxed: nothing was done inside. The exchange continues the release sequence of the readers before.
            gate.word().fetch_sub(READER, Ordering::Relaxed);
            return None;
        }
        Some(())
    }

    #[inline]
    unsafe fn leave(&self, gate: &Gate<()>, (): ()) {
        // Release: pairs with the Acquire in `wait`; what was done inside is over.
        gate.word().fetch_sub(READER, Ordering::Release);
    }

    #[inline]
    unsafe fn enter_all(&self) -> Self::Section {
        let before = self.all.fetch_add(1, Ordering::Relaxed);
        if before > MOST {
            self.all.fetch_sub(1, Ordering::Relaxed);
            panic!("too many read sections were forgotten");
        }
        // Pairs with the fence in `wait`: either `wait` sees this section, or the section's user sees the gate closed.
        fence(Ordering::SeqCst);
    }

    #[inline]
    unsafe fn leave_all(&self, (): ()) {
        // Release: pairs with the Acquire in `wait`.
        self.all.fetch_sub(1, Ordering::Release);
    }

    fn holds(&self, _gate: Option<&Gate<()>>) -> bool {
        false
    }

    unsafe fn wait(&self, gate: &Gate<()>, still: &mut dyn FnMut() -> bool) -> Result<(), Stuck> {
        // Pairs with the fence in `enter_all`; the gate was closed before.
        fence(Ordering::SeqCst);
        // Acquire, both: pair with the Release in `leave` and `leave_all`.
        while gate.word().load(Ordering::Acquire) >= READER || self.all.load(Ordering::Acquire) != 0
        {
            if !still() {
                return Err(Stuck::GaveUp);
            }
        }
        Ok(())
    }
}
