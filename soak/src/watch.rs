//! What is noted of a driver while it runs and while it ends, and what is wrong about it at once.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicU8, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use driver_scope::event::Kind;

use crate::book::{lock, Book};
use crate::report::Count;

/// How far the end of a driver has come. In the order in which it must come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Stage {
    /// It is bound, or being bound.
    Bound,
    /// Its `remove` is called.
    Remove,
    /// Its actions are.
    Hooks,
    /// Its data is dropped.
    Data,
    /// What its callbacks have captured is dropped.
    Captures,
    /// Its owned values are dropped.
    Owned,
    /// Whoever removed it knows that it is over.
    Over,
}

/// What is noted of one driver.
pub struct Watch {
    /// Of the plan.
    pub book: Arc<Book>,
    /// Which driver.
    pub name: String,
    /// How far its end has come.
    stage: AtomicU8,
    /// The last number of those that go newest first.
    last: AtomicU64,
    /// Whether everything was registered: from then on values go in their order, and their drops may panic.
    pub built: AtomicBool,
    /// Whether the order of the end is not looked at: what could not be registered, for lack of memory, goes at once.
    pub disorderly: bool,
    /// Callbacks and calls that are inside.
    inside: AtomicUsize,
    /// For the numbers of what is registered.
    numbers: AtomicU64,
    /// What was registered, by the names of kinds.
    pub registered: Mutex<Vec<Kind>>,
    /// Its callbacks.
    pub seats: Mutex<Vec<Arc<Seat>>>,
    /// Whether the device, which goes last, has been dropped.
    pub device_gone: AtomicBool,
    /// Whether its probe has succeeded.
    pub bound: AtomicBool,
}

impl Watch {
    /// Of a driver that is to be bound.
    #[must_use]
    pub fn new(book: &Arc<Book>, name: String, disorderly: bool) -> Arc<Self> {
        let watch = Arc::new(Watch {
            book: Arc::clone(book),
            name,
            stage: AtomicU8::new(Stage::Bound as u8),
            last: AtomicU64::new(u64::MAX),
            built: AtomicBool::new(false),
            disorderly,
            inside: AtomicUsize::new(0),
            numbers: AtomicU64::new(0),
            registered: Mutex::default(),
            seats: Mutex::default(),
            device_gone: AtomicBool::new(false),
            bound: AtomicBool::new(false),
        });
        book.add(&watch);
        watch
    }

    /// How far it is, in a line.
    pub(crate) fn state(&self) -> String {
        let seats = lock(&self.seats);
        let running: Vec<_> = seats
            .iter()
            .filter(|seat| seat.running.load(SeqCst))
            .collect();
        let running: Vec<_> = running.iter().map(|seat| seat.name).collect();
        format!(
            "  {}: step {} of the end, {} inside, running: {running:?}\n",
            self.name,
            self.stage.load(SeqCst),
            self.inside.load(SeqCst),
        )
    }

    /// Something is not as it must be.
    pub fn wrong(&self, what: &str) {
        self.book.wrong(format!("{}: {what}", self.name));
    }

    /// The next number.
    pub fn number(&self) -> u64 {
        self.numbers.fetch_add(1, SeqCst)
    }

    /// Something of this kind is registered.
    pub fn registered(&self, kind: Kind) {
        lock(&self.registered).push(kind);
    }

    /// Whether the end has come at least so far.
    pub fn has_come_to(&self, stage: Stage) -> bool {
        self.stage.load(SeqCst) >= stage as u8
    }

    /// The end comes to a stage; of those that go newest first, to this number.
    pub fn come_to(&self, stage: Stage, number: Option<u64>) {
        // (A value that is refused goes at once.)
        let in_order = self.built.load(SeqCst) && !self.disorderly;
        if !in_order && !matches!(stage, Stage::Remove | Stage::Over) {
            return;
        }
        let was = self.stage.swap(stage as u8, SeqCst);
        let last = self.last.swap(number.unwrap_or(u64::MAX), SeqCst);
        if !in_order {
            return;
        }
        if was > stage as u8 {
            self.wrong(&format!("{stage:?} comes after step {was}"));
        }
        if was == stage as u8 && number.is_some_and(|number| number >= last) {
            self.wrong(&format!("{stage:?}: not the newest first"));
        }
        if stage >= Stage::Data && self.inside.load(SeqCst) != 0 {
            self.wrong(&format!("{stage:?} while the driver runs"));
        }
    }

    /// The driver's code is entered: by a callback that has a seat, or by a call.
    pub fn enter<'a>(&'a self, seat: Option<&'a Seat>, who: &'static str) -> Inside<'a> {
        self.inside.fetch_add(1, SeqCst);
        if let Some(seat) = seat {
            seat.entries.fetch_add(1, SeqCst);
            if seat.running.swap(true, SeqCst) {
                self.wrong(&format!("{} runs beside itself", seat.name));
            }
        }
        let stage = self.stage.load(SeqCst);
        if stage >= Stage::Data as u8 {
            self.wrong(&format!("{who} is entered at step {stage} of the end"));
        }
        Inside { watch: self, seat }
    }
}

/// A callback.
pub struct Seat {
    /// What it is called.
    pub name: &'static str,
    running: AtomicBool,
    entries: AtomicU64,
}

impl Seat {
    /// Of a driver.
    pub fn of(watch: &Watch, name: &'static str) -> Arc<Self> {
        let seat = Arc::new(Seat {
            name,
            running: AtomicBool::new(false),
            entries: AtomicU64::new(0),
        });
        lock(&watch.seats).push(Arc::clone(&seat));
        seat
    }

    /// How often it was entered.
    pub fn entries(&self) -> u64 {
        self.entries.load(SeqCst)
    }
}

/// The driver's code runs; until this is dropped, by a panic too.
pub struct Inside<'a> {
    watch: &'a Watch,
    seat: Option<&'a Seat>,
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        if let Some(seat) = self.seat {
            seat.running.store(false, SeqCst);
        }
        self.watch.inside.fetch_sub(1, SeqCst);
    }
}

/// A value that must be dropped once, when its turn has come, with nobody at it.
pub struct Mine {
    watch: Arc<Watch>,
    /// When it goes; `None`: at any time until the data does.
    turn: Option<Stage>,
    number: u64,
    panics: bool,
    canary: Box<AtomicU64>,
    readers: AtomicUsize,
}

const CANARY: u64 = 0x736f_616b_206d_6521;

impl Mine {
    /// One more.
    #[must_use]
    pub fn new(watch: &Arc<Watch>, turn: Option<Stage>, panics: bool) -> Self {
        watch.book.made.fetch_add(1, SeqCst);
        Mine {
            number: watch.number(),
            watch: Arc::clone(watch),
            turn,
            panics,
            canary: Box::new(AtomicU64::new(CANARY)),
            readers: AtomicUsize::new(0),
        }
    }

    /// Looks at it, and does something while it is looked at.
    pub fn read<R>(&self, meanwhile: impl FnOnce() -> R) -> R {
        /// Also when that panics.
        struct Reading<'a>(&'a Mine);
        impl Drop for Reading<'_> {
            fn drop(&mut self) {
                self.0.readers.fetch_sub(1, SeqCst);
            }
        }
        self.readers.fetch_add(1, SeqCst);
        let reading = Reading(self);
        let result = meanwhile();
        if self.canary.load(SeqCst) != CANARY {
            self.watch.wrong("a value is used after its drop");
        }
        drop(reading);
        result
    }
}

impl Drop for Mine {
    fn drop(&mut self) {
        let watch = &*self.watch;
        let book = &*watch.book;
        book.line(|| format!("{}: drop of {:?} {}", watch.name, self.turn, self.number));
        book.dropped.fetch_add(1, SeqCst);
        if self.canary.swap(0, SeqCst) != CANARY {
            watch.wrong("a value is dropped twice");
        }
        if self.readers.load(SeqCst) != 0 {
            watch.wrong("a value is dropped while it is read");
        }
        match self.turn {
            Some(stage) => watch.come_to(stage, Some(self.number)),
            None if watch.has_come_to(Stage::Data) && !watch.disorderly => {
                watch.wrong("what was lent is dropped after the data");
            }
            // (Not one of the world's own.)
            None if watch.bound.load(SeqCst) && !watch.has_come_to(Stage::Remove) => {
                book.count(Count::DevresEarly);
            }
            None => {}
        }
        if self.panics && watch.built.load(SeqCst) {
            book.panic(Count::DestructorPanics);
        }
    }
}

#[cfg(test)]
mod tests;
