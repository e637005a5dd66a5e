//! What is to happen: plain data, drawn by [`chance`](crate::chance).

/// How many of a kind a driver has at most.
pub const MOST: usize = 4;
/// How many interrupt lines there are, for a driver and its children together.
pub const LINES: usize = 3;
/// How many children a driver has at most.
pub const CHILDREN: usize = 2;
/// How many values there are at most that can be revoked.
pub const REVOCABLES: usize = 3;

/// Everything that one seed decides.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What it was drawn from.
    pub seed: u64,
    /// How readers are remembered.
    pub readers: Readers,
    /// How many threads `Host` calls timers on.
    pub timer_threads: usize,
    /// How the driver lives.
    pub form: Form,
    /// The driver.
    pub machine: Machine,
    /// For each value that can be revoked, whether its drop panics.
    pub revocables: Vec<bool>,
    /// For each thread of the rest of the world, what it does.
    pub scripts: Vec<Vec<Action>>,
    /// What the owner of the driver does before its end.
    pub owner: Vec<Deed>,
    /// How it ends.
    pub end: End,
    /// When there is no memory.
    pub lack: Option<Lack>,
}

/// The strategies for read sections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readers {
    /// Counted in the gate's word.
    Counted,
    /// In slots, with a fence.
    Fenced,
    /// As the platform has them: in slots, and membarrier(2) where there is that.
    Own,
}

/// How a driver lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As a `Binding`.
    Bound,
    /// In `enter`.
    Entered,
}

/// From the `from`th ask for memory on, so many are refused.
#[derive(Clone, Copy, Debug)]
pub struct Lack {
    /// Counted from 1.
    pub from: usize,
    /// How many.
    pub count: usize,
    /// Only once the driver is bound.
    pub late: bool,
}

/// A driver.
#[derive(Clone, Debug)]
pub struct Machine {
    /// Its timers.
    pub timers: Vec<Timer>,
    /// Its work.
    pub works: Vec<Work>,
    /// Its interrupt handlers.
    pub irqs: Vec<Irq>,
    /// For each owned value, whether its drop panics.
    pub owned: Vec<bool>,
    /// For each `on_remove` action.
    pub hooks: Vec<Hook>,
    /// For each value that others may hold on to, whether its drop panics.
    pub devres: Vec<bool>,
    /// Whether it has memory that its device reaches: how many bytes.
    pub memory: Option<usize>,
    /// Places for sleeps.
    pub sleeps: usize,
    /// Its children.
    pub children: Vec<Machine>,
    /// What becomes of its probe.
    pub probe: Probe,
    /// Its `remove`.
    pub remove: Hook,
    /// Whether the drop of its data panics.
    pub data_panics: bool,
    /// Whether another thread starts its timers for the first time, inside of `probe`.
    pub started_elsewhere: bool,
}

impl Machine {
    /// One that has nothing.
    #[must_use]
    pub fn empty() -> Self {
        Machine {
            timers: Vec::new(),
            works: Vec::new(),
            irqs: Vec::new(),
            owned: Vec::new(),
            hooks: Vec::new(),
            devres: Vec::new(),
            memory: None,
            sleeps: 0,
            children: Vec::new(),
            probe: Probe::Binds,
            remove: Hook {
                acts: Vec::new(),
                panics: false,
            },
            data_panics: false,
            started_elsewhere: false,
        }
    }
}

/// What becomes of a probe, when everything is registered and runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probe {
    /// It succeeds.
    Binds,
    /// It returns an error.
    Fails,
    /// It panics.
    Panics,
}

/// What becomes of a handle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The driver keeps it, and everybody uses it.
    Kept,
    /// It goes at once.
    Dropped,
    /// It is forgotten.
    Forgotten,
    /// It is sent to another thread, which uses it and forgets it.
    Sent,
}

/// A callback, whatever calls it.
#[derive(Clone, Debug)]
pub struct Callback {
    /// What it does, one after the other, a run each; then from the beginning.
    pub acts: Vec<Act>,
    /// The run in which it panics.
    pub panics: Option<u64>,
    /// Whether the drop of what it has captured panics.
    pub capture_panics: bool,
    /// What becomes of its handle.
    pub fate: Fate,
}

/// A timer.
#[derive(Clone, Debug)]
pub struct Timer {
    /// Its callback.
    pub callback: Callback,
    /// What it asks for at the end of a run.
    pub again: Again,
    /// Not a hard one.
    pub soft: bool,
    /// Stays where it was started first.
    pub pinned: bool,
    /// By the clock of boot time.
    pub boot_time: bool,
    /// Its callback comes later.
    pub vacant: bool,
    /// When it expires first, in microseconds.
    pub first: u64,
    /// How much later it may be.
    pub slack: u64,
}

/// How a callback goes on. In microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// Not by itself.
    No,
    /// In periods.
    Period(u64),
    /// So long after its end.
    After(u64),
}

/// Work.
#[derive(Clone, Debug)]
pub struct Work {
    /// Its callback.
    pub callback: Callback,
    /// What it asks for at the end of a run.
    pub again: Again,
    /// Its callback comes later.
    pub vacant: bool,
    /// Whether `probe` queues it.
    pub queued: bool,
}

/// A handler.
#[derive(Clone, Debug)]
pub struct Irq {
    /// Its callback.
    pub callback: Callback,
    /// On which line. Several may be on one, of children too.
    pub line: usize,
    /// In two parts, the second of which may sleep.
    pub threaded: bool,
}

/// What is called once, when the driver ends.
#[derive(Clone, Debug)]
pub struct Hook {
    /// What it does.
    pub acts: Vec<Act>,
    /// Whether it then panics.
    pub panics: bool,
}

/// Something that a driver does with what it has. Whom it names may not be there; then it is nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Nothing.
    Rest,
    /// Reads and writes registers.
    Registers,
    /// Reads and writes memory that the device reaches.
    Memory,
    /// Looks at its owned values.
    Owned,
    /// Takes a lock.
    Lock,
    /// Starts a timer, in microseconds, or so much later.
    Start(usize, u64, u64),
    /// Starts a timer for when it was started last, or moves it on by periods.
    Restart(usize, Option<u64>),
    /// Cancels a timer; waits for it if one may.
    Cancel(usize),
    /// Queues work.
    Queue(usize, u64),
    /// Cancels work; waits for it if one may.
    CancelWork(usize),
    /// Waits for work, if one may.
    Flush(usize),
    /// Raises a line.
    Raise(usize),
    /// Has a line high until somebody sees to it.
    Level(usize),
    /// Disables a handler and enables it again; waits for it in between if one may.
    Mask(usize),
    /// Waits for a handler, if one may.
    Synchronize(usize),
    /// Accesses what may be revoked.
    Revocable(usize),
    /// Revokes it, if one may wait.
    Revoke(usize),
    /// Accesses what others may hold on to.
    Devres(usize),
    /// Polls a sleep, and drops it or forgets it.
    Sleep(u64, bool),
    /// Calls its parent.
    Parent,
    /// Calls a child.
    Child(usize),
    /// Calls itself by a port.
    OwnPort,
    /// Lets time pass, in microseconds.
    Wait(u64),
    /// Panics. (Not in a callback, which has its own.)
    Panic,
}

/// What the rest of the world does. `usize` says with which of them.
#[derive(Clone, Copy, Debug)]
pub enum Action {
    /// Calls a machine (0: the driver, then its children) by a port.
    Call(usize, Act),
    /// Has access to what a machine has lent.
    Devres(usize, Access),
    /// Accesses what may be revoked.
    Revocable(usize, Access),
    /// Revokes it: waiting for at most so many microseconds, if there is a number.
    Revoke(usize, Option<u64>),
    /// Clones the handle of something lent; and drops it, soon.
    CloneDevres(usize),
    /// Drops the handle of something lent: perhaps the last, and then it goes.
    DropDevres(usize),
    /// Raises a line.
    Raise(usize),
    /// The device reads and writes memory.
    Transfer,
    /// Waits for a sleep of a machine, inside of a call.
    Sleep(usize, u64),
    /// Tries to bind another driver, inside of a section on everything.
    BindInSection,
    /// Waits, in microseconds.
    Rest(u64),
}

/// By what, and for how long (in microseconds).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// By a closure.
    With,
    /// By a guard that is held.
    Guard(u64),
    /// Under a section that covers everything.
    Section(u64),
}

/// What the owner of a binding does with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Lets time pass, in microseconds.
    Pass(u64),
    /// Has the driver do something.
    With(Act),
    /// Looks at all registrations.
    Inspect,
    /// Unbinds a child.
    UnbindChild(usize),
    /// Registers more: an owned value, an action, a timer, a child.
    Register,
}

/// How a driver ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It is unbound from outside.
    Unbind,
    /// The binding is dropped.
    Drop,
    /// It is dropped inside of a callback, of the driver itself or of a child.
    InCallback(Site),
    /// It is dropped inside of a call by a port.
    InCall,
    /// It is dropped inside of a section on everything.
    InSection,
    /// The device vanishes, and the driver is then unbound.
    Vanish,
    /// Its owner panics.
    Unwind,
    /// Its owner forgets it for a while; nothing of it stops.
    Leak,
}

/// The callbacks in which a binding may be dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Site {
    /// Of a timer.
    Timer,
    /// Of an interrupt.
    Irq,
    /// Of work.
    Work,
}
