//! What a scope tells its platform: see [`Platform::trace`](crate::platform::Platform::trace).

use core::fmt;
use core::panic::Location;

use crate::error::Error;
use crate::time::Instant;

/// The name of a registration: what its author called it, else where it was made.
#[derive(Clone, Copy, Debug)]
pub struct Name {
    label: Option<&'static str>,
    location: &'static Location<'static>,
}

impl Name {
    pub(crate) fn new(label: Option<&'static str>, location: &'static Location<'static>) -> Self {
        Name { label, location }
    }

    /// The author's own name for it, if one was given.
    #[must_use]
    pub fn label(&self) -> Option<&'static str> {
        self.label
    }

    /// The line that made it.
    #[must_use]
    pub fn location(&self) -> &'static Location<'static> {
        self.location
    }
}

/// The label, else `file:line`.
impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.label {
            Some(label) => f.pad(label),
            None => write!(f, "{}:{}", self.location.file(), self.location.line()),
        }
    }
}

/// Something that happened to a scope. `driver` is the type name of its driver, or `"enter"`.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A phase of teardown begins.
    Phase {
        /// Whose scope it is.
        driver: &'static str,
        /// Which.
        phase: Phase,
        /// When.
        at: Instant,
    },
    /// Something that the scope owned has been ended.
    Ended {
        /// Whose scope it is.
        driver: &'static str,
        /// What it is called.
        name: &'a Name,
        /// What it is.
        kind: Kind,
        /// How it ended.
        outcome: Outcome,
        /// When.
        at: Instant,
    },
    /// Code of the driver panicked, and the panic was caught.
    Panicked {
        /// Whose scope it is.
        driver: &'static str,
        /// The registration that the code belongs to; `None` for the driver's own `remove` or the drop of its data.
        name: Option<&'a Name>,
    },
    /// A callback asked for a restart that cannot be; its timer stays stopped, its work is not queued.
    Refused {
        /// Whose scope it is.
        driver: &'static str,
        /// The timer, or the work.
        name: &'a Name,
        /// Why.
        error: Error,
    },
    /// A wait for a callback, for port calls or for readers has lasted for another second. Perhaps the waiter holds a lock that they
    /// want, or a guard was forgotten.
    Stalled {
        /// Whose scope it is.
        driver: &'static str,
        /// What is waited for.
        name: &'a Name,
    },
    /// The platform has switched an interrupt line off: it was raised again and again, and nobody handled it.
    Storm {
        /// Whose scope it is.
        driver: &'static str,
        /// A handler on that line.
        name: &'a Name,
    },
}

impl fmt::Display for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::Phase { driver, phase, .. } => write!(f, "{driver}: {phase}"),
            Event::Ended {
                driver,
                name,
                kind,
                outcome,
                ..
            } => write!(f, "{driver}: {kind} {name}: {outcome}"),
            Event::Panicked {
                driver,
                name: Some(name),
            } => write!(f, "{driver}: {name} panicked"),
            Event::Panicked { driver, name: None } => write!(f, "{driver}: the driver panicked"),
            Event::Refused {
                driver,
                name,
                error,
            } => write!(f, "{driver}: {name} is not restarted: {error}"),
            Event::Stalled { driver, name } => {
                write!(f, "{driver}: still waiting for {name}")
            }
            Event::Storm { driver, name } => write!(
                f,
                "{driver}: the line of {name} is switched off: nobody handles its interrupts"
            ),
        }
    }
}

/// The phases of a teardown, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Phase {
    /// Nothing new is begun: no child, and no call by a port, once there are no children left. Nothing waits.
    Gate,
    /// Children are unbound, newest first, each whole. They can still call their parent. Told only if there are any.
    Children,
    /// The driver's `remove`, then its `on_remove` actions. Everything still works.
    Hooks,
    /// Sleeps end; calls that are still inside by a port are waited for; then registration and arming are refused.
    Close,
    /// Every activity is stopped and waited for; then the readers of revocable resources are.
    ShutDown,
    /// What `Devres` hold, the driver's data, the callbacks' captured values and the owned values are dropped.
    Destroy,
    /// Devices are kept from memory; then mappings and memory are given back.
    Release,
    /// The teardown is over.
    Done,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Phase::Gate => "gate",
            Phase::Children => "children",
            Phase::Hooks => "hooks",
            Phase::Close => "close",
            Phase::ShutDown => "shut down",
            Phase::Destroy => "destroy",
            Phase::Release => "release",
            Phase::Done => "done",
        })
    }
}

/// The kinds of things that a scope owns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// An `on_remove` action.
    Action,
    /// A timer.
    Timer,
    /// Work.
    Work,
    /// A handler on an interrupt line.
    Irq,
    /// A place for a sleep, besides its timer.
    Sleep,
    /// The driver's data.
    Data,
    /// An owned value.
    Owned,
    /// A mapping of registers.
    Mapping,
    /// What a `Devres` holds.
    Devres,
    /// A driver that is bound as a child.
    Child,
    /// Of a kind of the platform's own, which it names: see [`registration`](crate::platform::registration).
    Other(&'static str),
    /// A device's way to memory.
    Dma,
    /// Memory that a device reaches.
    DmaMemory,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Kind::Action => "on_remove action",
            Kind::Timer => "hrtimer",
            Kind::Work => "work",
            Kind::Irq => "irq",
            Kind::Sleep => "sleep",
            Kind::Data => "driver data",
            Kind::Owned => "owned value",
            Kind::Mapping => "mapping",
            Kind::Devres => "devres",
            Kind::Child => "child",
            Kind::Other(kind) => kind,
            Kind::Dma => "DMA",
            Kind::DmaMemory => "DMA memory",
        })
    }
}

/// How something ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The action ran.
    Ran,
    /// The activity was idle; nothing had to be stopped.
    Idle,
    /// The timer was armed for this instant and will not fire; the work was queued for it and is not called.
    Cancelled(Instant),
    /// The callback was running, and was waited for.
    WaitedFor,
    /// The value was dropped, or the mapping undone.
    Dropped,
    /// Its code panicked.
    Panicked,
    /// The child was unbound, and its device dropped.
    Unbound,
    /// The device does not reach memory any more.
    Quieted,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Ran => f.pad("ran"),
            Outcome::Idle => f.pad("was idle"),
            Outcome::Cancelled(at) => write!(f, "was armed for {at}, cancelled"),
            Outcome::WaitedFor => f.pad("was running, waited for"),
            Outcome::Dropped => f.pad("dropped"),
            Outcome::Panicked => f.pad("panicked"),
            Outcome::Unbound => f.pad("unbound"),
            Outcome::Quieted => f.pad("made quiet"),
        }
    }
}
