//! Interrupts over a library of C, as a kernel's would be: the library in [`c`], and the glue.

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex, OnceLock};

use std::cell::Cell;

use core::marker::PhantomPinned;
use core::ptr::NonNull;

use driver_scope::platform::{IrqEntry, IrqState, Irqs};
use driver_scope::{Error, MaySleep};

/// The library. It knows nothing of this crate.
pub mod c {
    use std::collections::VecDeque;
    use std::sync::{Arc, Condvar, Mutex, MutexGuard};

    /// Called for an interrupt, with what it was requested with. Not zero: handled.
    pub type Function = unsafe extern "C" fn(dev: *mut ()) -> i32;

    /// After so many that nobody handled, nobody is asked any more.
    const UNHANDLED: u32 = 100_000;

    /// A line.
    pub struct Desc {
        controller: Arc<Controller>,
        state: Mutex<State>,
        ended: Condvar,
    }

    #[derive(Default)]
    struct State {
        actions: Vec<(Function, *mut ())>,
        /// How often the line is disabled.
        depth: u32,
        pending: bool,
        level: bool,
        in_progress: bool,
        /// The action that runs, by its `dev`, and how many have begun.
        running: Option<*mut ()>,
        begun: u64,
        unhandled: u32,
    }

    // SAFETY: what `dev` points to is the functions' matter.
    unsafe impl Send for State {}

    /// Processors that take interrupts.
    #[derive(Default)]
    pub struct Controller {
        state: Mutex<(VecDeque<Arc<Desc>>, bool)>,
        arrived: Condvar,
    }

    /// A controller with so many processors.
    pub fn controller(processors: usize) -> Arc<Controller> {
        let controller = Arc::<Controller>::default();
        for _ in 0..processors {
            let controller = Arc::clone(&controller);
            std::thread::spawn(move || controller.processor());
        }
        controller
    }

    impl Controller {
        /// Ends its threads, and forgets what they have not come to: lines, which have the controller.
        pub fn stop(&self) {
            let mut state = self.state.lock().unwrap();
            state.1 = true;
            let missed = std::mem::take(&mut state.0);
            drop(state);
            drop(missed);
            self.arrived.notify_all();
        }

        fn processor(&self) {
            super::super::CALLBACK.set(true);
            let mut state = self.state.lock().unwrap();
            while !state.1 {
                if let Some(desc) = state.0.pop_front() {
                    drop(state);
                    desc.handle();
                    state = self.state.lock().unwrap();
                } else {
                    state = self.arrived.wait(state).unwrap();
                }
            }
        }
    }

    /// A new line.
    pub fn irq_desc(controller: &Arc<Controller>) -> Arc<Desc> {
        Arc::new(Desc {
            controller: Arc::clone(controller),
            state: Mutex::default(),
            ended: Condvar::new(),
        })
    }

    impl State {
        fn is_asserted(&self) -> bool {
            (self.pending || self.level)
                && self.depth == 0
                && self.unhandled < UNHANDLED
                && !self.actions.is_empty()
        }
    }

    impl Desc {
        fn lock(&self) -> MutexGuard<'_, State> {
            self.state.lock().unwrap()
        }

        fn change(self: &Arc<Self>, f: impl FnOnce(&mut State)) {
            let mut state = self.lock();
            f(&mut state);
            let asserted = state.is_asserted();
            drop(state);
            if asserted {
                let controller = &self.controller;
                controller.state.lock().unwrap().0.push_back(self.clone());
                controller.arrived.notify_all();
            }
        }

        /// The hardware's side: an edge.
        pub fn edge(self: &Arc<Self>) {
            self.change(|state| state.pending = !state.actions.is_empty());
        }

        /// The hardware's side: a level.
        pub fn level(self: &Arc<Self>, high: bool) {
            self.change(|state| state.level = high);
        }

        /// On one of the processors. Another that comes meanwhile leaves it to this one.
        fn handle(&self) {
            let mut state = self.lock();
            if state.in_progress {
                return;
            }
            state.in_progress = true;
            while state.is_asserted() {
                state.pending = false;
                let mut handled = 0;
                for (function, dev) in state.actions.clone() {
                    // It may have been freed since.
                    if !state.actions.iter().any(|action| action.1 == dev) {
                        continue;
                    }
                    state.running = Some(dev);
                    state.begun += 1;
                    drop(state);
                    // SAFETY: noted as running, so a free waits.
                    handled |= unsafe { function(dev) };
                    state = self.lock();
                    state.running = None;
                    self.ended.notify_all();
                }
                state.unhandled = if handled == 0 { state.unhandled + 1 } else { 0 };
            }
            state.in_progress = false;
        }
    }

    /// Adds an action.
    pub fn request_irq(desc: &Arc<Desc>, function: Function, dev: *mut ()) {
        desc.change(|state| state.actions.push((function, dev)));
    }

    /// Takes an action off, and waits for it. Says whether it ran.
    pub fn free_irq(desc: &Arc<Desc>, dev: *mut ()) -> bool {
        desc.change(|state| {
            state.actions.retain(|action| action.1 != dev);
            if state.actions.is_empty() {
                state.pending = false;
                state.unhandled = 0;
            }
        });
        synchronize_irq(desc, dev)
    }

    /// Waits for an action that runs. Says whether it did.
    pub fn synchronize_irq(desc: &Desc, dev: *mut ()) -> bool {
        let mut state = desc.lock();
        let (ran, begun) = (state.running == Some(dev), state.begun);
        while state.running == Some(dev) && state.begun == begun {
            state = desc.ended.wait(state).unwrap();
        }
        ran
    }

    /// Whether an action runs.
    pub fn irq_runs(desc: &Desc, dev: *mut ()) -> bool {
        desc.lock().running == Some(dev)
    }

    /// Disables a line, or enables it. Not more often than it was disabled.
    pub fn irq_depth(desc: &Arc<Desc>, up: bool) {
        desc.change(|state| state.depth = if up { state.depth + 1 } else { state.depth - 1 });
    }
}

/// The interrupts of [`Foreign`](super::Foreign).
pub struct ForeignIrqs(OnceLock<Arc<c::Controller>>);

impl ForeignIrqs {
    pub fn new() -> Self {
        ForeignIrqs(OnceLock::new())
    }

    /// A new line. Its interrupts are taken by either of two processors.
    pub fn line(&self) -> Arc<c::Desc> {
        c::irq_desc(self.0.get_or_init(|| c::controller(2)))
    }
}

impl Drop for ForeignIrqs {
    fn drop(&mut self) {
        if let Some(controller) = self.0.get() {
            controller.stop();
        }
    }
}

/// The glue's node. Its address is the library's `dev`.
pub struct ForeignIrq {
    desc: Arc<c::Desc>,
    entry: IrqEntry,
    context: *const (),
    /// How often it is disabled; `None` once it is shut. The lock is held while the library is told.
    depth: Mutex<Option<u32>>,
    /// Whether an interrupt found it disabled: on a shared line, while the library asked one handler after the other.
    missed: AtomicBool,
    _pinned: PhantomPinned,
}

// SAFETY: not written after the init, or locked.
unsafe impl Send for ForeignIrq {}
// SAFETY: as above.
unsafe impl Sync for ForeignIrq {}

impl Drop for ForeignIrq {
    fn drop(&mut self) {
        assert!(self.depth.get_mut().unwrap().is_none(), "shut");
    }
}

thread_local! {
    /// The node whose entry this thread of the library is in.
    static INSIDE: Cell<*mut ()> = const { Cell::new(core::ptr::null_mut()) };
}

/// What the library calls.
unsafe extern "C" fn interrupted(dev: *mut ()) -> i32 {
    let node = dev.cast::<ForeignIrq>();
    // SAFETY: a node that is not dropped before the library's free has returned; nothing is touched after the entry.
    unsafe {
        if matches!(*(*node).depth.lock().unwrap(), Some(1..)) {
            (*node).missed.store(true, SeqCst);
            return 0;
        }
        INSIDE.set(dev);
        let handled = ((*node).entry)((*node).context);
        INSIDE.set(core::ptr::null_mut());
        handled.into()
    }
}

impl ForeignIrq {
    fn dev(&self) -> *mut () {
        core::ptr::from_ref(self).cast_mut().cast()
    }
}

// SAFETY: the promises, by their numbers. 1: actions are called between request and free, by one processor at a time (`in_progress`), with the line's lock
// in between. 2: by the library's threads. 3: the free waits. 4: the library compares addresses afterwards.
unsafe impl Irqs for ForeignIrqs {
    type Line = Arc<c::Desc>;
    type Node = ForeignIrq;

    unsafe fn init(
        &self,
        node: *mut ForeignIrq,
        line: &Arc<c::Desc>,
        entry: IrqEntry,
        context: *const (),
    ) -> Result<(), Error> {
        // SAFETY: memory for a node, which stays where it is, says the caller.
        unsafe {
            node.write(ForeignIrq {
                desc: line.clone(),
                entry,
                context,
                depth: Mutex::new(Some(0)),
                missed: AtomicBool::new(false),
                _pinned: PhantomPinned,
            });
        }
        c::request_irq(line, interrupted, node.cast());
        Ok(())
    }

    unsafe fn enable(&self, node: NonNull<ForeignIrq>) {
        // SAFETY: (here and below) initialised and not dropped, says the caller.
        let node = unsafe { node.as_ref() };
        if let Some(depth @ 1..) = &mut *node.depth.lock().unwrap() {
            *depth -= 1;
            c::irq_depth(&node.desc, false);
            if *depth == 0 && node.missed.swap(false, SeqCst) {
                node.desc.edge();
            }
        }
    }

    unsafe fn disable(&self, node: NonNull<ForeignIrq>) {
        // SAFETY: see `enable`.
        let node = unsafe { node.as_ref() };
        if let Some(depth) = &mut *node.depth.lock().unwrap() {
            *depth += 1;
            c::irq_depth(&node.desc, true);
        }
    }

    unsafe fn state(&self, node: NonNull<ForeignIrq>) -> IrqState {
        // SAFETY: see `enable`.
        let node = unsafe { node.as_ref() };
        IrqState {
            enabled: *node.depth.lock().unwrap() == Some(0),
            running: c::irq_runs(&node.desc, node.dev()),
        }
    }

    unsafe fn is_inside(&self, node: NonNull<ForeignIrq>) -> bool {
        INSIDE.get() == node.as_ptr().cast()
    }

    unsafe fn synchronize(
        &self,
        node: NonNull<ForeignIrq>,
        _cx: MaySleep<'_>,
        _stalled: &dyn Fn(),
    ) -> bool {
        // SAFETY: see `enable`.
        let node = unsafe { node.as_ref() };
        c::synchronize_irq(&node.desc, node.dev())
    }

    unsafe fn shut(
        &self,
        node: NonNull<ForeignIrq>,
        _cx: MaySleep<'_>,
        _stalled: &dyn Fn(),
    ) -> IrqState {
        // SAFETY: see `enable`.
        let node = unsafe { node.as_ref() };
        let depth = node.depth.lock().unwrap().take();
        let running = c::free_irq(&node.desc, node.dev());
        for _ in 0..depth.unwrap_or(0) {
            c::irq_depth(&node.desc, false);
        }
        IrqState {
            enabled: depth == Some(0),
            running,
        }
    }
}
