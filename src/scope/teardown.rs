//! The end of a scope, in phases: gate, children, hooks, close, shut down, destroy, release.
//!
//! A state machine whose every step records that it is done *before* it runs code of the driver. So when such code panics
//! and nothing catches it (no `std`), the teardown goes on from the next step while the panic unwinds.

use core::cell::Cell;
use core::mem;
use core::ptr::{self, NonNull};

use crate::context::MaySleep;
use crate::event::{Event, Kind, Name, Outcome, Phase};
use crate::platform::Platform;
use crate::scope::inner::Core;
use crate::scope::registry::Entry;

/// What a teardown must know of the scope's owner: a `Binding` has a driver and its data, `enter` has neither.
pub(crate) trait Body {
    /// Runs the driver's `remove`, if there is data.
    fn remove(&self, cx: MaySleep<'_>);

    /// Drops the driver's data; `false` if there is none.
    ///
    /// # Safety
    /// Called once, after everything was shut down.
    unsafe fn destroy_data(&self) -> bool;
}

/// The body of a scope that has no driver.
pub(crate) struct NoBody;

impl Body for NoBody {
    fn remove(&self, _cx: MaySleep<'_>) {}
    unsafe fn destroy_data(&self) -> bool {
        false
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Gate,
    Children,
    Remove,
    Hooks,
    Close,
    /// Sleeps, which port calls may wait for.
    Sleeps,
    /// Port calls that are still inside.
    Ports,
    ShutDown,
    /// Readers of revocable resources.
    Readers,
    /// What `Devres` hold.
    Payloads,
    Data,
    /// The captures of callbacks; their kinds have something to destroy and are no owned values.
    Captures,
    Owned,
    BeginRelease,
    /// Devices are kept from memory, all before anything is released.
    Quiet,
    Release,
    ReleaseChildren,
    Free,
    Done,
}

struct Teardown<'a, 'c, P: Platform> {
    core: &'a Core<P>,
    body: &'a dyn Body,
    cx: MaySleep<'c>,
    step: Cell<Step>,
    /// The newest entry of the closed list.
    newest: Cell<*mut Entry<P>>,
    /// The newest child.
    children: Cell<*mut Entry<P>>,
    /// Where the present step has got to.
    cursor: Cell<*mut Entry<P>>,
}

/// Ends a scope. Afterwards its memory is gone and only the core itself is left.
///
/// # Safety
/// Called once per core; nobody else can register any more. After it the core is only dropped.
///
/// On a callback of this scope it waits for itself, which is a hang and no matter of soundness: nothing is destroyed before every
/// callback has returned. Safe code gets there with coroutines only, since everything else looks at `in_callback`.
pub(crate) unsafe fn teardown<P: Platform>(core: &Core<P>, body: &dyn Body, cx: MaySleep<'_>) {
    let teardown = Teardown {
        core,
        body,
        cx,
        step: Cell::new(Step::Gate),
        newest: Cell::new(ptr::null_mut()),
        children: Cell::new(ptr::null_mut()),
        cursor: Cell::new(ptr::null_mut()),
    };
    /// Goes on where a panic left off. A second panic, now in a destructor that runs during unwinding, aborts.
    struct GoOn<'b, 'a, 'c, P: Platform>(&'b Teardown<'a, 'c, P>);
    impl<P: Platform> Drop for GoOn<'_, '_, '_, P> {
        fn drop(&mut self) {
            while self.0.advance() {}
        }
    }
    let go_on = GoOn(&teardown);
    while teardown.advance() {}
    mem::forget(go_on);
}

impl<P: Platform> Teardown<'_, '_, P> {
    /// Does one step; `false` when all is done.
    fn advance(&self) -> bool {
        match self.step.get() {
            Step::Gate => {
                self.phase(Phase::Gate);
                self.children.set(self.core.children.close());
                if !self.children.get().is_null() {
                    self.phase(Phase::Children);
                }
                self.step.set(Step::Children);
                self.cursor.set(self.children.get());
            }
            Step::Children => match self.next() {
                Some(entry) => {
                    // SAFETY: entries of the closed list live until `free`, the last step but one. [PHASES]
                    if let Some(outcome) = unsafe { Entry::shut(entry, self.core, self.cx) } {
                        self.ended(entry, outcome);
                    }
                }
                None => {
                    // Only now: the children had nothing but ports to use their parent by.
                    self.core.close_ports();
                    self.step.set(Step::Remove);
                }
            },
            Step::Remove => {
                self.phase(Phase::Hooks);
                self.step.set(Step::Hooks);
                self.core.guarded(None, || self.body.remove(self.cx));
            }
            Step::Hooks => self.next_hook(),
            Step::Close => {
                self.phase(Phase::Close);
                // What comes in by a port has no scope, so nobody is there that could still register.
                self.newest.set(self.core.entries.close());
                self.core.end_sleeps();
                self.begin(Step::Sleeps);
            }
            Step::Sleeps => match self.next() {
                // SAFETY: entries of the closed list live until `free`, the last step but one. [PHASES]
                Some(entry) => unsafe { Entry::close(entry, self.core) },
                None => self.step.set(Step::Ports),
            },
            Step::Ports => {
                // Before anything is refused: what such a call waits for may be a timer that starts itself again.
                self.core.wait_for_ports(self.cx);
                self.core.set_closing();
                self.phase(Phase::ShutDown);
                self.begin(Step::ShutDown);
            }
            Step::ShutDown => match self.next() {
                Some(entry) => {
                    // SAFETY: entries of the closed list live until `free`, the last step but one. [PHASES]
                    if let Some(outcome) = unsafe { Entry::shut(entry, self.core, self.cx) } {
                        self.ended(entry, outcome);
                    }
                }
                None => self.step.set(Step::Readers),
            },
            Step::Readers => {
                self.core.revoke_devres(self.cx);
                // From here on no driver code runs but what this thread calls.
                self.phase(Phase::Destroy);
                self.begin(Step::Payloads);
            }
            Step::Payloads => self.destroy(|kind| kind == Kind::Devres, Step::Data),
            Step::Data => {
                self.begin(Step::Captures);
                self.destroy_data();
            }
            Step::Captures => self.destroy(is_captured, Step::Owned),
            Step::Owned => self.destroy(|kind| kind == Kind::Owned, Step::BeginRelease),
            Step::BeginRelease => {
                self.phase(Phase::Release);
                self.begin(Step::Quiet);
            }
            Step::Quiet => match self.next() {
                Some(entry) => {
                    // SAFETY: alive until `free`; the next step is the first to release anything. [PHASES]
                    if unsafe { Entry::quiet(entry) } {
                        self.ended(entry, Outcome::Quieted);
                    }
                }
                None => self.begin(Step::Release),
            },
            Step::Release => match self.next() {
                Some(entry) => self.release(entry),
                None => {
                    self.step.set(Step::ReleaseChildren);
                    self.cursor.set(self.children.get());
                }
            },
            Step::ReleaseChildren => match self.next() {
                Some(entry) => self.release(entry),
                None => self.step.set(Step::Free),
            },
            Step::Free => {
                self.step.set(Step::Done);
                // SAFETY: all entries are released, and nobody holds anything of the scope: handles are branded with its
                // lifetime, which is over. The platform is the one all memory came from. [PHASES, BRAND]
                unsafe { self.core.arena.free(&self.core.platform) };
                // SAFETY: the last use of the scope's own handle to its gates, which `Done` does not come back to; ports and `Devres` have handles of their own. [PHASES, COUNTED]
                unsafe { self.core.gates.release() };
                self.phase(Phase::Done);
            }
            Step::Done => return false,
        }
        true
    }

    /// Starts a walk over the closed list.
    fn begin(&self, step: Step) {
        self.step.set(step);
        self.cursor.set(self.newest.get());
    }

    /// The next entry of the walk. The cursor is past it when this returns, whatever then happens to the entry.
    fn next(&self) -> Option<NonNull<Entry<P>>> {
        let entry = NonNull::new(self.cursor.get())?;
        // SAFETY: entries of the closed list live until `free`. [LISTED, PHASES]
        self.cursor.set(unsafe { Entry::older(entry) });
        Some(entry)
    }

    /// An entry that a walk has come to.
    fn entry(&self, entry: NonNull<Entry<P>>) -> &Entry<P> {
        // SAFETY: the walks visit entries of lists of this core, which live until `free`; the references that this hands out
        // are local to the steps before. [LISTED, PHASES]
        unsafe { &*entry.as_ptr() }
    }

    fn next_hook(&self) {
        if self.cursor.get().is_null() {
            // A hook may have registered further hooks: those of each round run newest first.
            self.cursor.set(self.core.hooks.take());
        }
        match self.next() {
            Some(entry) => {
                // SAFETY: the entry was taken off its list by this thread, and lives until `free`. [PHASES]
                if let Some(outcome) = unsafe { Entry::shut(entry, self.core, self.cx) } {
                    self.ended(entry, outcome);
                }
            }
            None if self.core.hooks.close_if_empty() => self.step.set(Step::Close),
            None => {}
        }
    }

    fn destroy_data(&self) {
        // SAFETY: the step before has shut everything down, and this step is left before it runs. [PHASES]
        let destroyed = self
            .core
            .guarded(None, || unsafe { self.body.destroy_data() });
        if destroyed == Some(true) {
            let name = Name::new(Some("data"), core::panic::Location::caller());
            self.trace_ended(&name, Kind::Data, Outcome::Dropped);
        }
    }

    /// Destroys the next entry of the kinds that belong to this step, or goes on to `then`.
    fn destroy(&self, belongs: impl Fn(Kind) -> bool, then: Step) {
        let Some(entry) = self.next() else {
            self.begin(then);
            return;
        };
        let (kind, name) = (self.entry(entry).kind(), self.entry(entry).name);
        if belongs(kind) {
            // SAFETY: alive until `free`; everything is shut down; `next` moved past the entry and each kind belongs to one
            // of the two steps, so this happens once. [PHASES]
            let destroyed = self
                .core
                .guarded(Some(&name), || unsafe { Entry::destroy(entry) });
            match destroyed {
                // The end of a timer was told when it was shut down.
                Some(true) if matches!(kind, Kind::Devres | Kind::Owned) => {
                    self.ended(entry, Outcome::Dropped);
                }
                Some(_) => {}
                None => self.ended(entry, Outcome::Panicked),
            }
        }
    }

    /// Releases an entry that a walk has come to.
    fn release(&self, entry: NonNull<Entry<P>>) {
        // The platform's own types; but a model behind an emulated bus is a driver author's code.
        let name = self.entry(entry).name;
        let released = self.core.guarded(Some(&name), || {
            // SAFETY: alive until `free`; every `destroy` is over; each entry is on one of two lists, each of which is walked once. [PHASES]
            unsafe { Entry::release(entry) }
        });
        match released {
            Some(true) => self.ended(entry, Outcome::Dropped),
            Some(false) => {}
            None => self.ended(entry, Outcome::Panicked),
        }
    }

    fn phase(&self, phase: Phase) {
        self.core.platform.trace(&Event::Phase {
            driver: self.core.driver,
            phase,
            at: self.core.platform.now(),
        });
    }

    fn ended(&self, entry: NonNull<Entry<P>>, outcome: Outcome) {
        let entry = self.entry(entry);
        self.trace_ended(&entry.name, entry.kind(), outcome);
    }

    fn trace_ended(&self, name: &Name, kind: Kind, outcome: Outcome) {
        self.core.platform.trace(&Event::Ended {
            driver: self.core.driver,
            name,
            kind,
            outcome,
            at: self.core.platform.now(),
        });
    }
}

/// What a callback captured: everything to destroy that is not of a kind with a step of its own.
fn is_captured(kind: Kind) -> bool {
    !matches!(kind, Kind::Devres | Kind::Owned)
}
