//! Interrupt lines of the models: raised by a thread of a model, which then calls the handler; or by who enables it.
//!
//! A line orders no more than it has promised: that a call has ended is one release store, and nothing else is done for who waits.

use std::ptr::NonNull;
use std::sync::Arc;

use driver_scope::platform::{IrqEntry, IrqState, Irqs};
use driver_scope::{Error, MaySleep};
use loom::sync::atomic::{AtomicBool, Ordering};
use loom::sync::{Mutex, MutexGuard};
use loom::thread::JoinHandle;

use crate::common;

/// The interrupts of a model's platform.
pub struct LoomIrqs;

/// A line, for one handler. Clones are the same.
#[derive(Clone)]
pub struct LoomLine(Arc<Line>);

struct Line {
    state: Mutex<State>,
    /// Whether the handler is being called. Set under the lock.
    busy: AtomicBool,
}

#[derive(Default)]
struct State {
    handler: Option<(IrqEntry, *const ())>,
    disabled: u32,
    raised: bool,
    delivering: bool,
}

// SAFETY: the context is only handed to the entry, which may be called on any thread.
unsafe impl Send for Line {}
// SAFETY: as above; the rest is locked.
unsafe impl Sync for Line {}

/// A handler on a line.
pub struct LoomIrq(LoomLine);

impl LoomLine {
    pub fn new() -> Self {
        LoomLine(Arc::new(Line {
            state: Mutex::new(State::default()),
            busy: AtomicBool::new(false),
        }))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap()
    }

    /// Raises the line once. A raise that meets no handler is kept for the next.
    pub fn raise(&self) {
        self.lock().raised = true;
        self.deliver();
    }

    /// A thread that does this.
    pub fn spawn_raise(&self) -> JoinHandle<()> {
        let line = self.clone();
        loom::thread::spawn(move || line.raise())
    }

    /// Calls the handler for what has come, unless another thread does that.
    fn deliver(&self) {
        loop {
            let mut state = self.lock();
            let Some((entry, context)) = state.handler else {
                return;
            };
            if state.delivering || !state.raised || state.disabled > 0 {
                return;
            }
            (state.delivering, state.raised) = (true, false);
            // Relaxed: who waits has had the lock since, or has it before.
            self.0.busy.store(true, Ordering::Relaxed);
            drop(state);
            // SAFETY: it was on the line under the lock, and who takes it off waits for `busy`.
            common::callback(|| unsafe { entry(context) });
            // Release: pairs with the Acquire in `wait`. From here on neither the node nor the context is touched.
            self.0.busy.store(false, Ordering::Release);
            self.lock().delivering = false;
        }
    }

    fn wait(&self) -> bool {
        let mut running = false;
        // Acquire: pairs with the Release in `deliver`.
        while self.0.busy.load(Ordering::Acquire) {
            running = true;
            loom::thread::yield_now();
        }
        running
    }
}

/// The line of a node.
///
/// # Safety
/// The node is initialised and not dropped.
unsafe fn line<'a>(node: NonNull<LoomIrq>) -> &'a LoomLine {
    // SAFETY: the caller's promise.
    unsafe { &(*node.as_ptr()).0 }
}

// SAFETY: the promises, by their numbers. 1: one thread delivers at a time, with the lock in between. 2: the entry is called with the lock free, on the stack of
// who enables, too. 3: `shut` takes the handler off under the lock, and waits. 4: the line outlives the scope, and is all that is touched.
unsafe impl Irqs for LoomIrqs {
    type Line = LoomLine;
    type Node = LoomIrq;

    unsafe fn init(
        &self,
        node: *mut LoomIrq,
        line: &LoomLine,
        entry: IrqEntry,
        context: *const (),
    ) -> Result<(), Error> {
        // SAFETY: memory for a node, says the caller.
        unsafe { node.write(LoomIrq(line.clone())) };
        line.lock().handler = Some((entry, context));
        line.deliver();
        Ok(())
    }

    unsafe fn enable(&self, node: NonNull<LoomIrq>) {
        // SAFETY: (here and below) the caller's promise.
        let line = unsafe { line(node) };
        let mut state = line.lock();
        state.disabled = state.disabled.saturating_sub(1);
        drop(state);
        line.deliver();
    }

    unsafe fn disable(&self, node: NonNull<LoomIrq>) {
        // SAFETY: see `enable`.
        unsafe { line(node) }.lock().disabled += 1;
    }

    unsafe fn state(&self, node: NonNull<LoomIrq>) -> IrqState {
        // SAFETY: see `enable`.
        let line = unsafe { line(node) };
        let state = line.lock();
        IrqState {
            enabled: state.handler.is_some() && state.disabled == 0,
            running: state.delivering,
        }
    }

    unsafe fn synchronize(
        &self,
        node: NonNull<LoomIrq>,
        _cx: MaySleep<'_>,
        _stalled: &dyn Fn(),
    ) -> bool {
        // SAFETY: see `enable`.
        unsafe { line(node) }.wait()
    }

    unsafe fn shut(
        &self,
        node: NonNull<LoomIrq>,
        _cx: MaySleep<'_>,
        _stalled: &dyn Fn(),
    ) -> IrqState {
        // SAFETY: see `enable`.
        let line = unsafe { line(node) };
        let mut state = line.lock();
        state.handler = None;
        let enabled = std::mem::take(&mut state.disabled) == 0;
        drop(state);
        let running = line.wait();
        IrqState { enabled, running }
    }
}
