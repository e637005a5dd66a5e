//! A platform author's own kind of registration: the edges of pins, which a pair of threads calls back for. All that is `unsafe` is here.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::panic::Location;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use driver_scope::event::{Name, Outcome};
use driver_scope::platform::registration::{self, Callback, Registration, Run, Signature};
use driver_scope::{DriverScope, Error, MaySleep, Platform};

/// Runs a function as a callback of the platform; `registration::callback`, for those of the crate.
pub type AsCallback = fn(&mut dyn FnMut());

// ---- the source: knows nothing of the crate

type Entry = unsafe extern "C" fn(context: *const ());

/// Who is called for a pin.
#[derive(Clone, Copy)]
struct Handler {
    entry: Entry,
    context: *const (),
}

// SAFETY: what the handler does on another thread is sound, says who adds it.
unsafe impl Send for Handler {}

/// A bank of pins. Clones are the same.
#[derive(Clone)]
pub struct Pins(Arc<Bank>);

struct Bank {
    state: Mutex<State>,
    changed: Condvar,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

#[derive(Default)]
struct State {
    handlers: BTreeMap<u32, Handler>,
    raised: VecDeque<u32>,
    /// How many edges there were on a pin.
    edges: BTreeMap<u32, u64>,
    /// How many threads are in the handler of a pin.
    inside: BTreeMap<u32, usize>,
    stop: bool,
}

impl Bank {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self, as_callback: AsCallback) {
        let mut state = self.lock();
        loop {
            let Some(pin) = state.raised.pop_front() else {
                if state.stop {
                    return;
                }
                state = self.changed.wait(state).unwrap();
                continue;
            };
            let Some(handler) = state.handlers.get(&pin).copied() else {
                continue; // An edge that nobody cares for.
            };
            *state.inside.entry(pin).or_default() += 1;
            drop(state);
            // SAFETY: `remove` waits for those inside, and so the context is there.
            as_callback(&mut || unsafe { (handler.entry)(handler.context) });
            state = self.lock();
            // The last touch: of memory that is the bank's.
            *state.inside.entry(pin).or_default() -= 1;
            self.changed.notify_all();
        }
    }
}

impl Pins {
    /// A bank whose edges two threads see to.
    pub fn new(as_callback: AsCallback) -> Self {
        let bank = Arc::new(Bank {
            state: Mutex::default(),
            changed: Condvar::new(),
            threads: Mutex::default(),
        });
        for _ in 0..2 {
            let own = Arc::clone(&bank);
            let thread = thread::spawn(move || own.serve(as_callback));
            bank.threads.lock().unwrap().push(thread);
        }
        Pins(bank)
    }

    /// An edge on a pin.
    pub fn raise(&self, pin: u32) {
        let mut state = self.0.lock();
        state.raised.push_back(pin);
        *state.edges.entry(pin).or_default() += 1;
        self.0.changed.notify_all();
    }

    /// Ends the threads, after all edges so far.
    pub fn stop(self) {
        self.0.lock().stop = true;
        self.0.changed.notify_all();
        for thread in self.0.threads.lock().unwrap().drain(..) {
            thread.join().unwrap();
        }
        // Whatever was registered has been dropped, with its handle to this; or is about to be, by a thread that makes removals.
        for _ in 0..10_000 {
            if Arc::strong_count(&self.0) == 1 {
                break;
            }
            thread::sleep(Duration::from_millis(1));
        }
        assert_eq!(Arc::strong_count(&self.0), 1);
    }

    /// How many pins have somebody who is called.
    pub fn in_use(&self) -> usize {
        self.0.lock().handlers.len()
    }

    /// # Safety
    /// `entry(context)` is sound to call on any thread, beside itself too, until `remove` has returned.
    unsafe fn add(&self, pin: u32, handler: Handler) -> Result<(), Error> {
        let mut state = self.0.lock();
        if state.handlers.contains_key(&pin) {
            return Err(Error::Platform(-16));
        }
        state.handlers.insert(pin, handler);
        Ok(())
    }

    /// Afterwards nobody is in the handler of this context, nor will be. Says whether it was there, and whether somebody was in it.
    fn remove(&self, pin: u32, context: *const (), stalled: &dyn Fn()) -> (bool, bool) {
        let mut state = self.0.lock();
        if state.handlers.get(&pin).map(|h| h.context) != Some(context) {
            return (false, false);
        }
        state.handlers.remove(&pin);
        (true, self.wait(state, pin, stalled))
    }

    /// Waits until nobody is in the handler of a pin.
    fn wait(&self, mut state: MutexGuard<'_, State>, pin: u32, stalled: &dyn Fn()) -> bool {
        let mut waited = false;
        while state.inside.get(&pin).is_some_and(|&inside| inside > 0) {
            waited = true;
            let second = Duration::from_secs(1);
            let (guard, timeout) = self.0.changed.wait_timeout(state, second).unwrap();
            state = guard;
            if timeout.timed_out() {
                stalled();
            }
        }
        waited
    }
}

// ---- the kind

/// What a callback for edges is.
struct OnEdge;

impl Signature for OnEdge {
    type Context<'c> = EdgeContext<'c>;
    type Output = ();
}

/// What a callback is told.
pub struct EdgeContext<'c> {
    pins: &'c Pins,
    pin: u32,
}

impl EdgeContext<'_> {
    /// The pin.
    pub fn pin(&self) -> u32 {
        self.pin
    }

    /// Another edge, on this pin.
    pub fn raise_again(&self) {
        self.pins.raise(self.pin);
    }
}

/// As it lies in the scope's memory.
struct EdgeNode<P: Platform> {
    callback: Callback<P, OnEdge>,
    pins: Pins,
    pin: u32,
    /// Whether the scope is closed. Written under the bank's lock.
    closed: AtomicBool,
}

impl<P: Platform> EdgeNode<P> {
    fn context(&self) -> *const () {
        (self as *const Self).cast()
    }
}

/// # Safety
/// `context` is a node that is registered, from before `Pins::add` to the return of `Pins::remove`.
unsafe extern "C" fn entry<P: Platform>(context: *const ()) {
    // SAFETY: the caller's promise. The reference is gone when this returns.
    let node = unsafe { &*context.cast::<EdgeNode<P>>() };
    let (pins, pin) = (&node.pins, node.pin);
    // SAFETY: registered, and `shut` waits in `Pins::remove` until this has returned.
    match unsafe { node.callback.run(|| EdgeContext { pins, pin }) } {
        Run::Returned(()) | Run::Noted | Run::Panicked => {}
    }
}

// SAFETY: 1. Only the bank calls `entry`, and it does so no more after `Pins::remove`, which waits for those inside, under the bank's lock;
// nothing adds the node again, since handles cannot. Inside the callback, `remove` waits for itself. 2. After a call the bank touches
// only what is its own. 3. Nothing unwinds but `stalled`, which does not. 4. `remove` looks whose handler it is.
unsafe impl<P: Platform> Registration<P> for EdgeNode<P> {
    const KIND: &'static str = "edge";

    fn close(&self, _platform: &P) {
        let _state = self.pins.0.lock();
        self.closed.store(true, Ordering::Relaxed);
        self.pins.0.changed.notify_all();
    }

    fn shut(&self, _platform: &P, _cx: MaySleep<'_>, stalled: &dyn Fn()) -> Outcome {
        match self.pins.remove(self.pin, self.context(), stalled) {
            (_, true) => Outcome::WaitedFor,
            (_, false) => Outcome::Idle,
        }
    }

    fn inspect(&self) -> &'static str {
        if self.callback.has_panicked() {
            "panicked"
        } else {
            "on"
        }
    }

    unsafe fn destroy(&self) -> bool {
        // SAFETY: called from here, under the same promise.
        unsafe { self.callback.destroy() }
    }
}

// ---- what drivers see: safe

/// Edges that a driver is called back for: a copyable name for what its scope owns.
pub struct Edges<'drv, P: Platform> {
    node: &'drv EdgeNode<P>,
}

impl<P: Platform> Clone for Edges<'_, P> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<P: Platform> Copy for Edges<'_, P> {}

impl<P: Platform> fmt::Debug for Edges<'_, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Edges").field(&self.node.callback).finish()
    }
}

impl<P: Platform> Edges<'_, P> {
    /// Makes an edge.
    pub fn raise(self) {
        self.node.pins.raise(self.node.pin);
    }

    /// Waits for the next edge.
    pub fn wait_for_edge(self, _cx: MaySleep<'_>) -> Result<(), Error> {
        let bank = &self.node.pins.0;
        let edges = |state: &State| state.edges.get(&self.node.pin).copied();
        let mut state = bank.lock();
        let before = edges(&state);
        while edges(&state) == before {
            if self.node.closed.load(Ordering::Relaxed) {
                return Err(Error::Closed);
            }
            state = bank.changed.wait(state).unwrap();
        }
        Ok(())
    }

    /// Waits for a callback that runs.
    pub fn synchronize(self, platform: &P, _cx: MaySleep<'_>) -> Result<(), Error> {
        if self.node.callback.runs_here(platform) {
            return Err(Error::Deadlock);
        }
        let pins = &self.node.pins;
        pins.wait(pins.0.lock(), self.node.pin, &|| {});
        Ok(())
    }

    pub fn name(self) -> Name {
        self.node.callback.name()
    }
}

/// The method for drivers.
pub trait PinsOfScope<'drv, P: Platform> {
    /// Has `callback` called for each edge on a pin.
    ///
    /// # Errors
    /// [`Error::NoMemory`], [`Error::Closed`]; [`Error::Platform`] if the pin is taken. The callback is then dropped, now or with the scope.
    fn on_edge<F>(&self, pins: &Pins, pin: u32, callback: F) -> Result<Edges<'drv, P>, Error>
    where
        F: FnMut(&mut EdgeContext<'_>) + Send + 'drv;
}

impl<'drv, P: Platform> PinsOfScope<'drv, P> for DriverScope<'drv, P> {
    #[track_caller]
    fn on_edge<F>(&self, pins: &Pins, pin: u32, callback: F) -> Result<Edges<'drv, P>, Error>
    where
        F: FnMut(&mut EdgeContext<'_>) + Send + 'drv,
    {
        let name = registration::name(self);
        debug_assert_eq!(name.location().file(), Location::caller().file());
        let node = EdgeNode {
            callback: Callback::<P, OnEdge>::new(self, name, callback)?,
            pins: pins.clone(),
            pin,
            closed: AtomicBool::new(false),
        };
        let node = registration::register(self, name, node)?;
        let context = node.context();
        let handler = Handler {
            entry: entry::<P>,
            context,
        };
        // SAFETY: registered, and so there until `shut` has removed it; the callback sees to it that it does not run beside itself.
        unsafe { pins.add(pin, handler)? };
        Ok(Edges { node })
    }
}
