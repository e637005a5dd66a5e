//! What a scope has at this moment: each registration with its name, its state and what it has counted.
//!
//! [`DriverScope::inspect`](crate::DriverScope::inspect) and [`Binding::inspect`](crate::Binding::inspect) call a visitor for each registration;
//! [`DriverScope::table`](crate::DriverScope::table) and [`Binding::table`](crate::Binding::table) are the same as text.
//!
//! ```
//! use driver_scope::{enter, platform::Sim, Error, Platform, Units};
//!
//! let sim = Sim::new();
//! sim.may_sleep(|cx| {
//!     enter(sim.clone(), cx, &sim, |sim, scope| {
//!         let slow = scope.named("slow").hrtimer(move |t| {
//!             sim.delay(25.millis()); // two periods and a half
//!             t.forward(10.millis())
//!         })?;
//!         slow.start(10.millis())?;
//!         scope.sleep(60.millis());
//!
//!         let mut seen = 0;
//!         scope.inspect(|item| {
//!             assert_eq!(
//!                 item.to_string(),
//!                 "hrtimer slow: armed for 0.070000000; 2 runs, the longest 25ms, at most 0ns late; 4 missed"
//!             );
//!             seen += 1;
//!         });
//!         assert_eq!(seen, 1);
//!         println!("{}", scope.table());
//!         Ok::<(), Error>(())
//!     })
//! })?;
//! # Ok::<(), Error>(())
//! ```
//!
//! # What is seen
//! All that is registered when the visit begins, and is not ended yet; children first, then hooks, then all others, each newest first. What is
//! registered meanwhile, by the visitor too, is not visited.
//!
//! A visit stops nothing. Each registration is looked at when its turn comes, and what was seen of it may be history when the visitor is
//! called. The state of a timer is of one moment. Its counters are read one after the other: each is right by itself, but of a run that
//! begins or ends just then some may tell already, and others not yet. Once the callback has ended and its end is known to the caller (by a
//! `cancel` that waited, say), all of them tell. Counters stop at their end, the largest `usize`.
//!
//! # Context
//! Any, callbacks included: a visit takes the lock of the platform's timers for a moment for each timer, and allocates nothing. No lock is
//! held while the visitor runs, so it may do whatever the caller may: start timers, register more, inspect again, panic.

use core::fmt::{self, Write};
use core::ptr::NonNull;
use core::time::Duration;

use crate::event::{Kind, Name};
use crate::platform::Platform;
use crate::scope::inner::Core;
use crate::scope::registry::Entry;
use crate::time::Instant;

/// A registration, as it was when it was looked at.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Inspected {
    /// What it is called.
    pub name: Name,
    /// What it is.
    pub kind: Kind,
    /// What else there is to tell.
    pub details: Details,
}

impl Inspected {
    /// What a timer tells, or work, if this is one.
    #[must_use]
    pub fn timer(&self) -> Option<&Timer> {
        match &self.details {
            Details::Timer(timer) => Some(timer),
            _ => None,
        }
    }

    /// What a handler on an interrupt line tells, if this is one.
    #[must_use]
    pub fn irq(&self) -> Option<&Irq> {
        match &self.details {
            Details::Irq(irq) => Some(irq),
            _ => None,
        }
    }
}

/// What there is to tell of a registration, by its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Details {
    /// It is there: an owned value, an action, what a `Devres` holds.
    Held,
    /// What a `Devres` held was dropped with its last handle.
    Released,
    /// A mapping of so many bytes.
    Mapped(usize),
    /// A timer, or work, which is armed when it is queued.
    Timer(Timer),
    /// A child that is bound, or is just being unbound.
    Bound,
    /// A child that was unbound.
    Unbound,
    /// What a registration of a kind of the platform's own says of itself.
    Other(&'static str),
    /// A handler on an interrupt line.
    Irq(Irq),
    /// Memory that a device reaches.
    Dma {
        /// Where the device has it.
        address: u64,
        /// In bytes.
        size: usize,
    },
}

/// What a timer tells of itself. See [Late and missed](crate::timer#late-and-missed).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timer {
    /// It will expire.
    pub armed: bool,
    /// Its callback runs.
    pub running: bool,
    /// The instant that it was last armed for.
    pub expires: Option<Instant>,
    /// It has no callback yet.
    pub vacant: bool,
    /// Its callback has panicked, and is not called any more.
    pub panicked: bool,
    /// How often its callback was called; a call that is under way counts.
    pub runs: u64,
    /// Periods that [`TimerContext::forward`](crate::TimerContext::forward) passed over: expiries that came too late to be.
    pub missed: u64,
    /// Expiries that met the callback running. It runs once more for all that came during a run.
    pub merged: u64,
    /// How often the callback asked for a restart that cannot be ([`Restart::Refused`](crate::Restart::Refused)).
    pub refused: u64,
    /// How late a run began, at most.
    pub latest: Duration,
    /// How long a run lasted, at most. One that is under way does not count.
    pub longest: Duration,
}

/// What a handler on an interrupt line tells of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Irq {
    /// It is called for what the line does.
    pub enabled: bool,
    /// It runs.
    pub running: bool,
    /// It has panicked, and is not called any more.
    pub panicked: bool,
    /// The platform has switched the line off once, since nobody handled its interrupts.
    pub stormed: bool,
    /// How many interrupts it has handled.
    pub handled: u64,
    /// How many it has found to be another's.
    pub not_ours: u64,
}

/// Calls `visitor` for each registration.
///
/// # Safety
/// The scope's teardown does not get beyond its shutdown meanwhile.
pub(crate) unsafe fn visit<P: Platform>(core: &Core<P>, visitor: &mut dyn FnMut(&Inspected)) {
    for list in [&core.children, &core.hooks, &core.entries] {
        let mut cursor = list.newest();
        while let Some(entry) = NonNull::new(cursor) {
            // SAFETY: on a list of this core, nothing of which is destroyed meanwhile, says the caller. An entry's `older` never changes. [LISTED, CALLER]
            let item = unsafe {
                cursor = Entry::older(entry);
                Entry::inspect(entry)
            };
            visitor(&item);
        }
    }
}

/// A line: `hrtimer poll: armed for 1.000000000; 3 runs, the longest 2µs, at most 60µs late`.
impl fmt::Display for Inspected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.kind, self.name, self.state(None))?;
        let Some(timer) = self.timer() else {
            return Ok(());
        };
        write!(
            f,
            "; {} runs, the longest {:?}, at most {:?} late",
            timer.runs, timer.longest, timer.latest
        )?;
        for (count, what) in [
            (timer.missed, "missed"),
            (timer.merged, "merged"),
            (timer.refused, "refused"),
        ] {
            if count != 0 {
                write!(f, "; {count} {what}")?;
            }
        }
        Ok(())
    }
}

impl Inspected {
    fn state(&self, now: Option<Instant>) -> State {
        State(self.details, now)
    }
}

/// The state of a registration in words; instants relative to a present, if there is one.
struct State(Details, Option<Instant>);

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let timer = match self.0 {
            Details::Held => return f.write_str("held"),
            Details::Released => return f.write_str("released"),
            Details::Mapped(size) => return write!(f, "{size:#x} bytes"),
            Details::Irq(irq) => return irq.fmt(f),
            Details::Dma { address, size } => return write!(f, "{size:#x} bytes at {address:#x}"),
            Details::Timer(timer) => timer,
            Details::Bound => return f.write_str("bound"),
            Details::Unbound => return f.write_str("unbound"),
            Details::Other(state) => return f.write_str(state),
        };
        if timer.running {
            f.write_str("running")?;
        }
        match (timer.armed, timer.expires) {
            (true, Some(expires)) => {
                if timer.running {
                    f.write_str(", ")?;
                }
                match self.1 {
                    None => write!(f, "armed for {expires}"),
                    Some(now) if now > expires => {
                        write!(f, "due for {:.1?}", now.saturating_duration_since(expires))
                    }
                    Some(now) => {
                        write!(f, "due in {:.1?}", expires.saturating_duration_since(now))
                    }
                }
            }
            _ if timer.running => Ok(()),
            _ if timer.panicked => f.write_str("panicked"),
            _ if timer.vacant => f.write_str("vacant"),
            _ => f.write_str("idle"),
        }
    }
}

/// In words: `enabled; 5 handled, 2 not ours`.
impl fmt::Display for Irq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Irq { panicked: true, .. } => "panicked",
            Irq { running: true, .. } => "running",
            Irq { enabled: true, .. } => "enabled",
            _ => "disabled",
        })?;
        if self.stormed {
            f.write_str(", switched off by a storm")?;
        }
        write!(f, "; {} handled, {} not ours", self.handled, self.not_ours)
    }
}

/// The registrations of a scope as text, a row for each and a heading, as they are when it is written.
pub struct Table<'a, P: Platform>(&'a Core<P>);

impl<'a, P: Platform> Table<'a, P> {
    /// # Safety
    /// The scope's teardown does not get beyond its shutdown throughout `'a`.
    pub(crate) unsafe fn new(core: &'a Core<P>) -> Self {
        Table(core)
    }

    fn visit(&self, mut visitor: impl FnMut(&Inspected)) {
        // SAFETY: the promise of `new`. [CALLER]
        unsafe { visit(self.0, &mut visitor) };
    }
}

/// So wide is the column of states; that of names is as wide as it takes.
const STATE: usize = 16;

impl<P: Platform> fmt::Display for Table<'_, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut name = "name".len();
        self.visit(|item| name = name.max(width(&item.name)));
        // No width beyond that can be written.
        let name = name.min(u16::MAX.into());
        writeln!(
            f,
            "{:<16} {:<name$} {:<STATE$} {:>7} {:>7} {:>7} {:>7} {:>9} {:>9}",
            "kind", "name", "state", "runs", "missed", "merged", "refused", "latest", "longest"
        )?;
        let now = self.0.platform.now();
        let mut result = Ok(());
        self.visit(|item| {
            // A visit cannot be ended early; it is short.
            if result.is_ok() {
                result = row(f, item, name, now);
            }
        });
        result
    }
}

fn row(f: &mut fmt::Formatter<'_>, item: &Inspected, name: usize, now: Instant) -> fmt::Result {
    let state = item.state(Some(now));
    write!(f, "{:<16} ", item.kind)?;
    pad(f, &item.name, name)?;
    let Some(timer) = item.timer() else {
        return writeln!(f, " {state}");
    };
    f.write_char(' ')?;
    pad(f, &state, STATE)?;
    writeln!(
        f,
        " {:>7} {:>7} {:>7} {:>7} {:>9.1?} {:>9.1?}",
        timer.runs, timer.missed, timer.merged, timer.refused, timer.latest, timer.longest
    )
}

/// Writes something, and then spaces up to a width.
fn pad(f: &mut fmt::Formatter<'_>, what: &dyn fmt::Display, to: usize) -> fmt::Result {
    write!(f, "{what}{:1$}", "", to.saturating_sub(width(what)))
}

/// How many characters something takes.
fn width(what: &dyn fmt::Display) -> usize {
    struct Counted(usize);
    impl Write for Counted {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            self.0 += text.chars().count();
            Ok(())
        }
    }
    let mut counted = Counted(0);
    // Nothing here fails.
    let _ = write!(counted, "{what}");
    counted.0
}

impl<P: Platform> fmt::Debug for Table<'_, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Table").field(&self.0.driver).finish()
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
