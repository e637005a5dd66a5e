//! Lines that have something to be delivered, and the platform's side of handlers.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;

use core::fmt;
use core::ptr::NonNull;

use super::{IrqLine, LineHandler};
use crate::context::MaySleep;
use crate::error::Error;
use crate::platform::monitor::lock;
use crate::platform::{IrqEntry, IrqState, IrqStorm, Irqs};

/// The interrupts of [`Host`](crate::platform::Host) and [`Sim`](crate::platform::Sim): handlers on [`IrqLine`]s.
pub struct LineIrqs {
    pending: Arc<Pending>,
    /// Whether the thread that calls handlers has been started; `None` if somebody else does that.
    thread: Option<Mutex<bool>>,
}

/// Lines that ask for a round of calls, first come, first served: one that is never quiet does not hold up the others.
#[derive(Default)]
pub(super) struct Pending {
    lines: Mutex<Lines>,
    arrived: Condvar,
}

#[derive(Default)]
struct Lines {
    queue: VecDeque<IrqLine>,
    /// Whether the thread should end.
    stop: bool,
}

/// A line whose handlers are to be asked.
pub(crate) struct Asserted<'a> {
    line: IrqLine,
    by: &'a Arc<Pending>,
}

impl Asserted<'_> {
    /// Asks each handler once. Without a lock, outside callbacks. `told` hears of each answer, by the number of the handler.
    pub(crate) fn deliver(self, told: &dyn Fn(u64, bool)) {
        self.line.deliver(self.by, told);
    }
}

impl LineIrqs {
    /// Handlers are called by a thread, started when the first is registered.
    pub(crate) fn with_thread() -> Self {
        LineIrqs {
            pending: Arc::default(),
            thread: Some(Mutex::new(false)),
        }
    }

    /// Handlers are called by who asks for the [`next`](Self::next) line.
    pub(crate) fn without_thread() -> Self {
        LineIrqs {
            pending: Arc::default(),
            thread: None,
        }
    }

    /// The next line whose handlers are to be asked.
    pub(crate) fn next(&self) -> Option<Asserted<'_>> {
        let line = lock(&self.pending.lines).queue.pop_front()?;
        let by = &self.pending;
        Some(Asserted { line, by })
    }

    /// Has the thread started, if it is to be one.
    fn start(&self) -> Result<(), Error> {
        let Some(started) = &self.thread else {
            return Ok(());
        };
        let mut started = lock(started);
        if !*started {
            let pending = Arc::clone(&self.pending);
            let thread = thread::Builder::new().name("interrupts".into());
            let spawned = thread.spawn(move || pending.run());
            spawned.map_err(|error| {
                error
                    .raw_os_error()
                    .map_or(Error::NoMemory, Error::Platform)
            })?;
            *started = true;
        }
        Ok(())
    }
}

impl Pending {
    pub(super) fn add(&self, line: IrqLine) {
        lock(&self.lines).queue.push_back(line);
        self.arrived.notify_one();
    }

    /// Calls handlers until it is told to stop.
    fn run(self: Arc<Self>) {
        let mut lines = lock(&self.lines);
        while !lines.stop {
            if let Some(line) = lines.queue.pop_front() {
                drop(lines);
                line.deliver(&self, &|_, _| {});
                // Perhaps the last of it.
                drop(line);
                lines = lock(&self.lines);
            } else {
                lines = self
                    .arrived
                    .wait(lines)
                    .unwrap_or_else(PoisonError::into_inner);
            }
        }
    }
}

impl Drop for LineIrqs {
    fn drop(&mut self) {
        // Every scope holds a clone of its platform until it is torn down, so there are no handlers any more. The thread is not joined: this
        // may be it.
        lock(&self.pending.lines).stop = true;
        self.pending.arrived.notify_all();
    }
}

impl fmt::Debug for LineIrqs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LineIrqs").finish_non_exhaustive()
    }
}

// SAFETY: the promises, by their numbers. 1: a handler is called while it is on its line, between its `init` and its `shut`, by the one round that the
// line has under way; what came before each call was done under the line's lock, or is ordered by it. 2: rounds are made by a thread of their own, or by
// who lets the time of a `Sim` pass. 3: `shut` takes the handler off the line under its lock, then waits until the line says that it is not being
// called. 4: that is noted in the line, which is in an `Arc` that the round holds. [PROMISE]
unsafe impl Irqs for LineIrqs {
    type Line = IrqLine;
    type Node = LineHandler;

    unsafe fn init(
        &self,
        node: *mut LineHandler,
        line: &IrqLine,
        entry: IrqEntry,
        context: *const (),
    ) -> Result<(), Error> {
        self.start()?;
        // SAFETY: the caller's promises. [CALLER]
        unsafe { line.add(&self.pending, node, entry, context) }
    }

    unsafe fn watch(&self, node: NonNull<LineHandler>, storm: IrqStorm) {
        // SAFETY: (this and those below) initialised and not dropped, says the caller; only ever borrowed shared. [CALLER]
        unsafe { node.as_ref() }.watch(storm);
    }

    unsafe fn enable(&self, node: NonNull<LineHandler>) {
        // SAFETY: see `watch`. [CALLER]
        unsafe { node.as_ref() }.change(|handler| {
            handler.disabled = handler.disabled.saturating_sub(1);
        });
    }

    unsafe fn disable(&self, node: NonNull<LineHandler>) {
        // SAFETY: see `watch`. (So often is nothing disabled.) [CALLER]
        unsafe { node.as_ref() }.change(|handler| {
            handler.disabled = handler.disabled.saturating_add(1);
        });
    }

    unsafe fn state(&self, node: NonNull<LineHandler>) -> IrqState {
        // SAFETY: see `watch`. [CALLER]
        unsafe { node.as_ref() }.state()
    }

    unsafe fn is_inside(&self, node: NonNull<LineHandler>) -> bool {
        // SAFETY: see `watch`. [CALLER]
        unsafe { node.as_ref() }.is_inside()
    }

    unsafe fn synchronize(
        &self,
        node: NonNull<LineHandler>,
        _cx: MaySleep<'_>,
        stalled: &dyn Fn(),
    ) -> bool {
        // SAFETY: see `watch`. [CALLER]
        unsafe { node.as_ref() }.synchronize(stalled)
    }

    unsafe fn shut(
        &self,
        node: NonNull<LineHandler>,
        _cx: MaySleep<'_>,
        stalled: &dyn Fn(),
    ) -> IrqState {
        // SAFETY: see `watch`. [CALLER]
        unsafe { node.as_ref() }.shut(stalled)
    }
}
