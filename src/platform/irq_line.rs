//! Interrupt lines of the hosted platforms, and who calls their handlers.

use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::vec::Vec;

use core::fmt;
use core::mem;

use crate::context::ContextId;
use crate::error::Error;
use crate::platform::contexts;
use crate::platform::monitor::{lock, wait};
use crate::platform::{IrqEntry, IrqState, IrqStorm};

mod irqs;

pub use irqs::LineIrqs;

use irqs::Pending;

/// After so many interrupts in a row that nobody has handled, a line is switched off.
const UNHANDLED: u32 = 100_000;

/// An interrupt line of a modelled device, or a message that it sends. Clones are the same line.
///
/// A model raises it; handlers are put on it by [`DriverScope::irq`](crate::DriverScope::irq), several if it is shared. All of them are asked, in the order in which they came, and never
/// on the stack of who raises: a model may do it in the middle of an access. On [`Host`](crate::platform::Host) that is done by a thread for interrupts, on
/// [`Sim`](crate::platform::Sim) by whoever lets time pass, before anything that is due at that instant.
///
/// - **An edge, or a message**: [`raise`](IrqLine::raise). Each is delivered at least once after it was raised; several may be merged.
/// - **A level**: [`set_level`](IrqLine::set_level). While it is high the handlers are asked again and again.
///
/// A disabled handler holds up the whole line, as on Linux. What comes while no handler is on it is lost, but for a level, which is still there when one comes.
///
/// # Storms
/// When 100,000 interrupts in a row have been handled by nobody, the line is switched off, until another handler is put on it. That is told as
/// [`Event::Storm`](crate::event::Event::Storm) for each of its handlers.
///
/// The handlers on a line are those of one platform at a time: another's are refused ([`Error::Unsupported`]).
#[derive(Clone, Default)]
pub struct IrqLine(Arc<Line>);

#[derive(Default)]
struct Line {
    state: Mutex<State>,
    /// Tells who waits for a handler that one has returned.
    ended: Condvar,
}

#[derive(Default)]
struct State {
    /// In the order in which they came, which is that of their numbers.
    handlers: Vec<Handler>,
    last_number: u64,
    /// The handler that is being called, by its number, and in which context. It may be off the list.
    calling: Option<(u64, ContextId)>,
    /// How many calls have begun.
    calls: u64,
    /// Whether a round of calls is under way.
    delivering: bool,
    /// Whether the line waits at `pending` for its next round.
    queued: bool,
    /// Where its rounds are asked for, while it has handlers.
    pending: Option<Arc<Pending>>,
    /// Raised since the last round began.
    raised: bool,
    level: bool,
    unhandled: u32,
    /// Switched off by a storm.
    off: bool,
}

struct Handler {
    number: u64,
    entry: IrqEntry,
    storm: Option<IrqStorm>,
    context: *const (),
    /// How often it was disabled and not enabled.
    disabled: u32,
}

// SAFETY: the context is only handed to the entry and the storm, which may be called on any thread. [SHARED]
unsafe impl Send for Handler {}

/// A handler on an [`IrqLine`].
pub struct LineHandler {
    line: IrqLine,
    number: u64,
}

impl fmt::Debug for LineHandler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LineHandler({})", self.number)
    }
}

impl IrqLine {
    /// A line that is quiet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Raises the line once: an edge, or a message. From any context.
    pub fn raise(&self) {
        self.change(|state| state.raised = !state.handlers.is_empty());
    }

    /// Sets the level of the line: high, or low as it is in the beginning. From any context.
    pub fn set_level(&self, high: bool) {
        self.change(|state| state.level = high);
    }

    /// Changes something, and asks for a round of calls if there is reason for one then.
    fn change<R>(&self, f: impl FnOnce(&mut State) -> R) -> R {
        let mut state = lock(&self.0.state);
        let result = f(&mut state);
        self.ask(state);
        result
    }

    /// Asks for a round of calls if there is reason for one. Not while one is under way: at its end this is looked at again.
    fn ask(&self, mut state: MutexGuard<'_, State>) {
        if state.queued || state.delivering || !state.is_asserted() {
            return;
        }
        let Some(pending) = state.pending.clone() else {
            return;
        };
        state.queued = true;
        drop(state);
        pending.add(self.clone());
    }

    /// A round: asks each handler once, for what has come so far. `told` hears of each answer.
    ///
    /// A round that was asked for by handlers that have gone is none: `by` is who was asked.
    fn deliver(&self, by: &Arc<Pending>, told: &dyn Fn(u64, bool)) {
        let mut state = lock(&self.0.state);
        if state.delivering || !state.is_of(by) {
            return;
        }
        state.queued = false;
        if !state.is_asserted() {
            return;
        }
        state.delivering = true;
        // What comes from here on is for another round.
        let raised = mem::take(&mut state.raised);
        let (mut last, mut asked, mut handled) = (0, false, false);
        // Not those of another platform, which may have come when the last of this one's went, in the midst of this round.
        while let Some((number, entry, context)) = state.next_of(by, last) {
            last = number;
            if state.is_disabled(number) {
                // Since this round began. It is asked when it is enabled again.
                state.raised |= raised;
                continue;
            }
            asked = true;
            let mut ours = false;
            state = self.call(state, number, || {
                // SAFETY: on the list until a moment ago, so it was not shut, and since the line says that it is being called, its shut does
                // not return before that has ended. [SHUT, LOCKED]
                ours = unsafe { entry(context) };
                told(number, ours);
            });
            handled |= ours;
        }
        if handled || !state.is_of(by) {
            state.unhandled = 0;
        } else if asked {
            state.unhandled += 1;
            if state.unhandled >= UNHANDLED {
                state = self.switch_off(state);
            }
        }
        state.delivering = false;
        self.ask(state);
    }

    fn switch_off<'a>(&'a self, mut state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        state.off = true;
        let mut last = 0;
        // Not those that have come since, perhaps of another platform, for whom the line is on again.
        while let Some(handler) = state.after(last).filter(|_| state.off) {
            let (number, storm, context) = (handler.number, handler.storm, handler.context);
            last = number;
            if let Some(storm) = storm {
                // SAFETY: as for an entry. [SHUT, LOCKED]
                state = self.call(state, number, || unsafe { storm(context) });
            }
        }
        state
    }

    /// Calls code of a handler without the lock, noted as being called.
    fn call<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        number: u64,
        code: impl FnOnce(),
    ) -> MutexGuard<'a, State> {
        // That which the call is going to have.
        let context = contexts::callback(contexts::current);
        state.calling = Some((number, context));
        state.calls += 1;
        drop(state);
        contexts::callback(code);
        // From here on neither the handler's node nor its context is touched.
        let mut state = lock(&self.0.state);
        state.calling = None;
        self.0.ended.notify_all();
        state
    }

    /// Puts a handler on the line, and makes its node: before the first call, in which the handler may disable itself.
    ///
    /// # Safety
    /// That of `Irqs::init`.
    unsafe fn add(
        &self,
        pending: &Arc<Pending>,
        node: *mut LineHandler,
        entry: IrqEntry,
        context: *const (),
    ) -> Result<(), Error> {
        self.change(|state| {
            match &state.pending {
                Some(theirs) if !Arc::ptr_eq(theirs, pending) => return Err(Error::Unsupported),
                _ => state.pending = Some(Arc::clone(pending)),
            }
            state.last_number += 1;
            let number = state.last_number;
            let line = self.clone();
            // SAFETY: memory for a node, says the caller. [CALLER]
            unsafe { node.write(LineHandler { line, number }) };
            state.handlers.push(Handler {
                number,
                entry,
                storm: None,
                context,
                disabled: 0,
            });
            (state.off, state.unhandled) = (false, 0);
            Ok(())
        })
    }
}

impl LineHandler {
    /// Changes something of the handler, if it is still on its line.
    fn change(&self, f: impl FnOnce(&mut Handler)) {
        self.line.change(|state| {
            if let Some(handler) = state.find(self.number) {
                f(handler);
            }
        });
    }

    /// Whom to tell of a storm. One that came before is one that comes again: the line is switched on.
    fn watch(&self, storm: IrqStorm) {
        self.line.change(|state| {
            if let Some(handler) = state.find(self.number) {
                handler.storm = Some(storm);
                (state.off, state.unhandled) = (false, 0);
            }
        });
    }

    fn state(&self) -> IrqState {
        lock(&self.line.0.state).of(self.number)
    }

    fn is_inside(&self) -> bool {
        lock(&self.line.0.state).calling == Some((self.number, contexts::current()))
    }

    /// Waits until the call that is under way has ended. Says whether there was one.
    fn synchronize(&self, stalled: &dyn Fn()) -> bool {
        let mut found = None;
        let attempt = |state: &mut State| {
            let running = state.is_calling(self.number);
            // Later calls do not count, or a line that is never quiet would hold this up for ever.
            let (was, calls) = *found.get_or_insert((running, state.calls));
            (!running || calls != state.calls).then_some(was)
        };
        wait(&self.line.0.state, &self.line.0.ended, attempt, stalled)
    }

    /// Takes the handler off its line and waits. Says what it was doing.
    fn shut(&self, stalled: &dyn Fn()) -> IrqState {
        let found = self.line.change(|state| {
            let found = state.of(self.number);
            state.handlers.retain(|other| other.number != self.number);
            if state.handlers.is_empty() {
                // As it was before the first handler came, but for the level, which is the device's.
                state.pending = None;
                state.queued = false;
                state.raised = false;
                (state.off, state.unhandled) = (false, 0);
            }
            found
        });
        self.synchronize(stalled);
        found
    }
}

impl State {
    /// Whether there is a reason for a round of calls, and nothing against it.
    fn is_asserted(&self) -> bool {
        (self.raised || self.level)
            && !self.off
            && !self.handlers.is_empty()
            && self.handlers.iter().all(|handler| handler.disabled == 0)
    }

    /// Whether the handlers are of the platform that these rounds are made by.
    fn is_of(&self, by: &Arc<Pending>) -> bool {
        self.pending.as_ref().is_some_and(|p| Arc::ptr_eq(p, by))
    }

    /// What to call next in a round, after the handler of this number.
    fn next_of(&self, by: &Arc<Pending>, number: u64) -> Option<(u64, IrqEntry, *const ())> {
        let next = self.after(number).map(Handler::call);
        next.filter(|_| self.is_of(by))
    }

    /// The first handler that came after the one with this number.
    fn after(&self, number: u64) -> Option<&Handler> {
        self.handlers.iter().find(|handler| handler.number > number)
    }

    fn find(&mut self, number: u64) -> Option<&mut Handler> {
        self.handlers
            .iter_mut()
            .find(|handler| handler.number == number)
    }

    fn is_disabled(&self, number: u64) -> bool {
        self.handlers
            .iter()
            .any(|handler| handler.number == number && handler.disabled > 0)
    }

    fn is_calling(&self, number: u64) -> bool {
        self.calling.is_some_and(|(calling, _)| calling == number)
    }

    /// What a handler is doing. One that is off its line is not enabled.
    fn of(&mut self, number: u64) -> IrqState {
        let running = self.is_calling(number);
        let enabled = self.find(number).is_some_and(|h| h.disabled == 0);
        IrqState { enabled, running }
    }
}

impl Handler {
    fn call(&self) -> (u64, IrqEntry, *const ()) {
        (self.number, self.entry, self.context)
    }
}

impl fmt::Debug for IrqLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not under the lock: whoever is written to may raise the line.
        let (level, handlers, off) = {
            let state = lock(&self.0.state);
            (state.level, state.handlers.len(), state.off)
        };
        f.debug_struct("IrqLine")
            .field("level", &level)
            .field("handlers", &handlers)
            .field("off", &off)
            .finish_non_exhaustive()
    }
}
