//! A software model of an NVIDIA GPU's timer: `TIME_0` and `TIME_1` in BAR 0, nothing else.
//!
//! The counter is whatever function it is given, and is asked anew at each register read: so it can carry between any two.
#![forbid(unsafe_code)]
// The hosted platforms are not part of a build for loom.
#![cfg(not(loom))]

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::Arc;

use driver_scope::platform::{Emulated, Model, Platform, Region};
use driver_scope::{Error, PciDevice};

/// The size of BAR 0, in bytes.
pub const BAR_SIZE: usize = 16 << 20;

/// The model.
///
/// The counter's low 5 bits do not exist, nor do those above 60.
pub struct NovaModel {
    counter: Box<dyn Fn() -> u64 + Send + Sync>,
    accesses: AtomicU64,
    /// The number of the first access that finds nothing.
    gone_from: AtomicU64,
}

impl NovaModel {
    /// A device whose counter, in nanoseconds, is at `counter()` whenever a register is read.
    pub fn new(counter: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        NovaModel {
            counter: Box::new(counter),
            accesses: AtomicU64::new(0),
            gone_from: AtomicU64::new(u64::MAX),
        }
    }

    /// How many accesses there have been.
    pub fn accesses(&self) -> u64 {
        self.accesses.load(Relaxed)
    }

    /// Pulls the device out: it reads as all ones.
    pub fn unplug(&self) {
        self.unplug_after(0);
    }

    /// Pulls the device out after so many more accesses.
    pub fn unplug_after(&self, accesses: u64) {
        self.gone_from.store(self.accesses() + accesses, Relaxed);
    }

    /// The model as a PCI function with its BAR 0, to bind a driver to.
    ///
    /// # Errors
    /// None in practice: a PCI function has a BAR 0.
    pub fn pci_device<P: Platform<Bus = Emulated>>(
        self: &Arc<Self>,
    ) -> Result<PciDevice<P>, Error> {
        let model: Arc<dyn Model> = self.clone();
        // NVIDIA, and a GM107 (pci.ids).
        PciDevice::new(0x10de, 0x1380).with_bar(0, Region::new(model, BAR_SIZE))
    }
}

impl Model for NovaModel {
    fn read(&self, offset: u64, width: u8) -> u64 {
        if self.accesses.fetch_add(1, Relaxed) >= self.gone_from.load(Relaxed) {
            return u64::MAX;
        }
        match (offset, width) {
            (0x9400, 4) => (self.counter)() & 0xffff_ffe0,
            (0x9410, 4) => ((self.counter)() >> 32) & 0x1fff_ffff,
            _ => 0,
        }
    }

    fn write(&self, _offset: u64, _width: u8, _value: u64) {
        self.accesses.fetch_add(1, Relaxed);
    }
}

impl fmt::Debug for NovaModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NovaModel")
            .field("accesses", &self.accesses)
            .finish_non_exhaustive()
    }
}
