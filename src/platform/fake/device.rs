//! The device behind the handles: when its lock is held, and when not.

use std::panic::{self, AssertUnwindSafe};
use std::string::{String, ToString};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use core::mem;

use crate::platform::fake::fault::Armed;
use crate::platform::fake::log::Log;
use crate::platform::fake::map::Map;
use crate::platform::fake::script::{Failed, Step};
use crate::platform::fake::state::{ones, Spot, State};
use crate::platform::{Model, Region};
use crate::time::Instant;

/// Answers a read, as the bus carries it.
pub(super) type OnRead = Arc<dyn Fn(&Arc<Device>) -> u64 + Send + Sync>;
/// Takes a write, as the bus carries it.
pub(super) type OnWrite = Arc<dyn Fn(&Arc<Device>, u64) + Send + Sync>;
/// Tells the time.
pub(super) type Clock = Arc<dyn Fn() -> Instant + Send + Sync>;

pub(super) struct Device {
    size: usize,
    /// Held for a moment, and never while an action, a clock or a destructor of one runs.
    state: Mutex<State>,
}

/// The model of a device: apart from it, since an action is lent the device and a model is called by reference.
struct Served(Arc<Device>);

impl Model for Served {
    fn read(&self, offset: u64, width: u8) -> u64 {
        self.0.read(offset as usize, width.into())
    }
    fn write(&self, offset: u64, width: u8, value: u64) {
        self.0.write(offset as usize, width.into(), value);
    }
}

impl Device {
    pub(super) fn new(size: usize) -> Self {
        Device {
            size,
            state: Mutex::new(State::new(size)),
        }
    }

    pub(super) fn region(this: &Arc<Self>) -> Region {
        Region::new(Arc::new(Served(Arc::clone(this))), this.size)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Before the lock is taken: the clock may have locks of its own.
    fn now(&self) -> Option<Instant> {
        let clock = self.lock().clock.clone();
        clock.map(|clock| clock())
    }

    fn read(self: &Arc<Self>, offset: usize, width: usize) -> u64 {
        let at = self.now();
        let begun = self.lock().begin_read(at, offset, width);
        let (number, action) = match begun {
            Ok(value) => return value,
            Err(call) => call,
        };
        let answer = caught(|| action(self));
        // Dropped before the action, which may be the last that holds what it captured.
        let mut state = self.lock();
        match answer {
            Ok(value) => state.answer_with_faults(number, value),
            Err(panic) => {
                state.panicked(number, &panic);
                state.answer(number, ones(width))
            }
        }
    }

    fn write(self: &Arc<Self>, offset: usize, width: usize, value: u64) {
        let at = self.now();
        let begun = self.lock().begin_write(at, offset, width, value);
        let Some((number, action)) = begun else {
            return;
        };
        if let Err(panic) = caught(|| action(self, value)) {
            self.lock().panicked(number, &panic);
        }
    }

    pub(super) fn set(&self, spot: &Spot, value: u64) {
        let mut state = self.lock();
        state.name(spot);
        state.hold(spot.offset, spot.width, value);
    }

    pub(super) fn get(&self, spot: &Spot) -> u64 {
        let mut state = self.lock();
        state.name(spot);
        state.held(spot.offset, spot.width)
    }

    pub(super) fn count(&self, spot: &Spot, write: bool) -> usize {
        let mut state = self.lock();
        state.name(spot);
        state.count(spot, write)
    }

    pub(super) fn on_read(&self, spot: &Spot, action: OnRead) {
        // Dropped here, when the lock is free again: what it captured is the test's.
        let _old = self.lock().name(spot).on_read.replace(action);
    }

    pub(super) fn on_write(&self, spot: &Spot, action: OnWrite) {
        // As in `on_read`.
        let _old = self.lock().name(spot).on_write.replace(action);
    }

    pub(super) fn fault(&self, spot: &Spot, fault: Armed) {
        self.lock().name(spot).faults.push(fault);
    }

    pub(super) fn bytes(&self, offset: usize, to: &mut [u8]) {
        to.copy_from_slice(&self.lock().bytes[offset..offset + to.len()]);
    }

    pub(super) fn set_bytes(&self, offset: usize, from: &[u8]) {
        self.lock().bytes[offset..offset + from.len()].copy_from_slice(from);
    }

    pub(super) fn clock(&self, clock: Clock) {
        // As in `on_read`.
        let _old = self.lock().clock.replace(clock);
    }

    pub(super) fn remove_after(&self, accesses: usize) {
        self.lock().gone_after = Some(accesses);
    }

    pub(super) fn add_map(&self, map: Map) {
        self.lock().add_map(map);
    }

    pub(super) fn begin_script(&self) {
        self.lock().begin_script();
    }

    pub(super) fn add_step(&self, step: Step) {
        self.lock().add_step(step);
    }

    pub(super) fn verify(&self) -> Result<(), Failed> {
        self.lock().verify()
    }

    pub(super) fn log(&self) -> Log {
        self.lock().print()
    }
}

/// What it returns, or what it panicked with.
fn caught<T>(f: impl FnOnce() -> T) -> Result<T, String> {
    // What a panic leaves broken is the test's, and the test is told.
    panic::catch_unwind(AssertUnwindSafe(f)).map_err(|payload| {
        let text = payload
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| payload.downcast_ref::<&str>().map(ToString::to_string))
            .unwrap_or_else(|| "(no message)".into());
        // Its own drop may panic.
        mem::forget(payload);
        text
    })
}
