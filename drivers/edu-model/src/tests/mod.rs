//! One test per fact about the device.

mod accesses;
mod dma;
mod factorial;
mod identity;
mod interrupts;
#[cfg(not(loom))]
mod lines;
mod removal;
mod time;
mod transfer;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;

use crate::{EduConfig, EduModel};

const ID: u64 = 0x00;
const LIVENESS: u64 = 0x04;
const FACTORIAL: u64 = 0x08;
const STATUS: u64 = 0x20;
const INTERRUPT_STATUS: u64 = 0x24;
const RAISE: u64 = 0x60;
const ACKNOWLEDGE: u64 = 0x64;
const SOURCE: u64 = 0x80;
const DESTINATION: u64 = 0x88;
const COUNT: u64 = 0x90;
const COMMAND: u64 = 0x98;

/// Default times in nanoseconds.
const COMPUTE: u64 = 100_000;
const TRANSFER: u64 = 100_000_000;

/// A model under a clock that stands still until told.
struct Rig {
    model: EduModel,
    time: Arc<AtomicU64>,
}

impl Rig {
    fn new() -> Self {
        Self::with(EduConfig::default())
    }

    fn with(config: EduConfig) -> Self {
        let time = Arc::new(AtomicU64::new(0));
        let clock = Arc::clone(&time);
        let model = EduModel::new(move || clock.load(Ordering::SeqCst), config);
        Self { model, time }
    }

    fn set(&self, time: u64) {
        self.time.store(time, Ordering::SeqCst);
    }

    fn pass(&self, nanoseconds: u64) {
        self.time.fetch_add(nanoseconds, Ordering::SeqCst);
    }

    fn get(&self, offset: u64) -> u64 {
        self.model.read(offset, 4)
    }

    fn put(&self, offset: u64, value: u64) {
        self.model.write(offset, 4, value);
    }

    fn get8(&self, offset: u64) -> u64 {
        self.model.read(offset, 8)
    }

    fn put8(&self, offset: u64, value: u64) {
        self.model.write(offset, 8, value);
    }

    /// Computes `n!` to its end.
    fn factorial(&self, n: u64) -> u64 {
        self.put(FACTORIAL, n);
        self.pass(COMPUTE);
        self.get(FACTORIAL)
    }
}
