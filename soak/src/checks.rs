//! What must be so: of a table, after a removal, and when all is over. And what can be done wrong, to see that it is found.

use std::sync::atomic::Ordering::SeqCst;
use std::sync::Arc;
use std::time::Duration;

use driver_scope::event::Kind;
use driver_scope::platform::{Bus, Emulated, Model, Region};
use driver_scope::{enter, Error, Inspected, Plain};

use crate::acts::accessed;
use crate::book::{lock, Book};
use crate::ground::World;
use crate::hardware::Hardware;
use crate::report::Count;
use crate::run::PATIENCE;
use crate::watch::{Seat, Stage, Watch};

/// Something that is done wrong on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A callback is entered after the end.
    LateEntry,
    /// A callback is entered while it runs.
    BesideItself,
    /// A call is inside while the data is dropped.
    InsideAtTheEnd,
    /// A step of the end comes too early.
    WrongOrder,
    /// A block of memory is not given back.
    BlockKept,
    /// A value is not dropped.
    ValueKept,
    /// The device is accessed after the end.
    DeviceTouched,
    /// The device reaches memory after the end.
    MemoryReached,
    /// The registers are still mapped after the end.
    MappingKept,
    /// A call is let in after the remove has begun.
    CallAfter,
    /// What was lent is accessed after the end.
    LentAfter,
    /// What was revoked is accessed.
    RevokedRead,
    /// A panic is neither told nor comes through.
    PanicLost,
    /// A table lacks something.
    Miscounted,
    /// A table tells of more runs than there were.
    RunsMiscounted,
}

/// What a table is compared with: it is made before the table, and looked at after.
pub struct Expected<'a> {
    watch: &'a Watch,
    runs: Vec<(Arc<Seat>, u64)>,
    seen: Vec<Kind>,
}

impl<'a> Expected<'a> {
    /// Of a driver; nobody registers meanwhile.
    #[must_use]
    pub fn of(watch: &'a Watch) -> Self {
        let seats = lock(&watch.seats);
        Expected {
            watch,
            runs: seats
                .iter()
                .map(|seat| (Arc::clone(seat), seat.entries()))
                .collect(),
            seen: Vec::new(),
        }
    }

    /// A row of the table.
    pub fn see(&mut self, item: &Inspected) {
        self.seen.push(item.kind);
        // (The thread of a handler has the handler's name.)
        let (runs, of_irq) = match (item.timer(), item.irq()) {
            (Some(timer), _) => (timer.runs, false),
            (_, Some(irq)) if !irq.panicked => (irq.handled + irq.not_ours, true),
            _ => return,
        };
        let Some(label) = item.name.label() else {
            return;
        };
        let name = match of_irq {
            true => label.to_owned(),
            false => label.replace("irq", "thread"),
        };
        let Some((seat, before)) = self.runs.iter().find(|(seat, _)| seat.name == name) else {
            return;
        };
        let fault = self.watch.book.fault == Some(Fault::RunsMiscounted);
        let runs = runs + if fault { 1000 } else { 0 };
        // A handler is counted when it has returned.
        let before = before.saturating_sub(of_irq.into());
        // One may be between the count of the crate and that of the callback.
        // (One whose thread has panicked is not ours any more, without being called.)
        if runs < before || (!of_irq && runs > seat.entries() + 1) {
            let wrong = format!("{}: {runs} runs, but entered {before} times", seat.name);
            self.watch.wrong(&wrong);
        }
    }

    /// Whether all was there.
    pub fn check(self) {
        self.watch.book.count(Count::Inspected);
        let mut registered = lock(&self.watch.registered).clone();
        if self.watch.book.fault == Some(Fault::Miscounted) {
            registered.push(Kind::Irq);
        }
        let sorted = |kinds: &[Kind]| {
            let mut names: Vec<String> = kinds.iter().map(ToString::to_string).collect();
            names.sort();
            names
        };
        let (registered, seen) = (sorted(&registered), sorted(&self.seen));
        // What could not be registered for lack of memory may have left parts.
        if registered != seen && !self.watch.disorderly {
            self.watch
                .wrong(&format!("the table has {seen:?}, not {registered:?}"));
        }
    }
}

/// A driver whose end is over.
pub struct Ended {
    /// What was noted of it.
    pub watch: Arc<Watch>,
    /// Its device.
    pub hardware: Arc<Hardware>,
    /// Its registers.
    pub region: Region,
    entries: Vec<(Arc<Seat>, u64)>,
}

impl Ended {
    /// It is over, says who removed it: from here on nothing of it runs.
    pub fn new(watch: Arc<Watch>, hardware: Arc<Hardware>, region: Region) -> Self {
        watch.come_to(Stage::Over, None);
        let entries = lock(&watch.seats)
            .iter()
            .map(|seat| (Arc::clone(seat), seat.entries()))
            .collect();
        let ended = Ended {
            watch,
            hardware,
            region,
            entries,
        };
        ended.check_device();
        ended
    }

    fn check_device(&self) {
        let watch = &self.watch;
        match watch.book.fault {
            Some(Fault::LateEntry) => drop(watch.enter(None, "a callback")),
            Some(Fault::DeviceTouched) => _ = self.hardware.read(0, 4),
            _ => {}
        }
        self.hardware.transfer();
        if self.hardware.space.blocks() != 0 {
            watch.wrong("memory for the device is left");
        }
        let kept = match watch.book.fault {
            Some(Fault::MappingKept) => Emulated::map(&self.region).ok(),
            _ => None,
        };
        if Emulated::map(&self.region).is_err() {
            watch.wrong("the registers are still mapped");
        }
        drop(kept);
    }

    /// Lets the device reach memory again, as no driver does that has ended.
    pub(crate) fn reach_memory<P: World>(&self, platform: &P) {
        let reached = platform.lend_sleep(|cx| {
            enter(platform.clone(), cx, self, |ended, scope| {
                let dma = scope.dma(&ended.hardware.space, 32)?;
                ended.hardware.aim(scope.dma_bytes(dma, 8)?.address());
                ended.hardware.transfer();
                Ok::<(), Error>(())
            })
        });
        reached.expect("there is memory");
    }

    /// Some time later: whether nothing has run.
    pub fn check_later(&self) {
        for (seat, entries) in &self.entries {
            if seat.entries() != *entries {
                let wrong = format!("{} has run after the end", seat.name);
                self.watch.wrong(&wrong);
            }
        }
        self.hardware.transfer();
    }
}

/// Accesses what a driver has lent, as if that driver had ended.
pub(crate) fn lend_after<P: World>(platform: &P, watch: &Arc<Watch>) {
    let lent = platform.lend_sleep(|cx| {
        enter(platform.clone(), cx, watch, |watch, scope| {
            let lent = scope.devres::<Plain<u32>>(7)?.devres();
            watch.come_to(Stage::Over, None);
            accessed(&lent, watch, &watch.book, |_| ());
            Ok::<(), Error>(())
        })
    });
    lent.expect("there is memory");
}

/// Everything is over, and every handle has gone: whether all was given back.
pub fn check_rest<P: World>(platform: &P, book: &Book) {
    // What the last handle of something leaves to be freed in a callback is freed a little later.
    // (Nor is it waited for what was made to be missing.)
    let patience = if book.fault.is_some() { 20 } else { PATIENCE };
    for _ in 0..patience {
        if platform.live() == 0 {
            break;
        }
        platform.pass(Duration::from_millis(1));
    }
    if platform.live() != 0 {
        book.wrong(format!(
            "{} blocks of memory are not given back",
            platform.live()
        ));
    }
    let (made, dropped) = (book.made.load(SeqCst), book.dropped.load(SeqCst));
    if made != dropped {
        book.wrong(format!("{made} values were made, {dropped} dropped"));
    }
    let [thrown, caught, passed] =
        [&book.thrown, &book.caught, &book.passed].map(|count| count.load(SeqCst));
    if thrown != caught + passed {
        book.wrong(format!(
            "{thrown} panics were thrown, {caught} told and {passed} came through"
        ));
    }
}
