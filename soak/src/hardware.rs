//! A model of a device: registers, memory, and a way to be pulled out.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::Arc;

use driver_scope::platform::{DmaSpace, Model, Region};
use driver_scope::registers;

use crate::report::Count;
use crate::watch::{Stage, Watch};

registers! {
    /// The device's.
    pub Regs: 0x20 {
        /// Never all ones.
        0x00 => ro STATUS: u32 where !0 is gone,
        /// Keeps what is written.
        0x10 => rw SCRATCH: u64,
        /// Where it transfers to and from.
        0x18 => rw TARGET: u64,
    }
}

/// A device.
pub struct Hardware {
    watch: Arc<Watch>,
    scratch: AtomicU64,
    target: AtomicU64,
    /// Pulled out.
    pub gone: AtomicBool,
    /// The memory that it reaches.
    pub space: DmaSpace,
}

impl Hardware {
    /// Of a driver, with its registers.
    #[must_use]
    pub fn new(watch: &Arc<Watch>) -> (Arc<Self>, Region) {
        let hardware = Arc::new(Hardware {
            watch: Arc::clone(watch),
            scratch: AtomicU64::new(0),
            target: AtomicU64::new(0),
            gone: AtomicBool::new(false),
            space: DmaSpace::new(),
        });
        let region = Region::new(Arc::clone(&hardware) as Arc<dyn Model>, 0x20);
        (hardware, region)
    }

    fn accessed(&self) {
        self.watch.book.count(Count::Registers);
        if self.watch.has_come_to(Stage::Over) {
            self.watch
                .wrong("the device is accessed after the end of its driver");
        }
    }

    /// Tells it where to transfer to and from, without its registers.
    pub(crate) fn aim(&self, at: u64) {
        self.target.store(at, SeqCst);
    }

    /// Reads what it was told to, and writes it back. Says whether it was let.
    pub fn transfer(&self) -> bool {
        let mut word = [0; 8];
        let at = self.target.load(SeqCst);
        let over = self.watch.has_come_to(Stage::Over);
        let done = self.space.read(at, &mut word).is_ok() && self.space.write(at, &word).is_ok();
        if done && over {
            self.watch
                .wrong("the device reaches memory after the end of its driver");
        }
        self.watch.book.count(match done {
            true => Count::Transfers,
            false => Count::Faults,
        });
        done
    }
}

impl Model for Hardware {
    fn read(&self, offset: u64, _width: u8) -> u64 {
        self.accessed();
        if self.gone.load(SeqCst) {
            return u64::MAX;
        }
        match offset {
            0x10 => self.scratch.load(SeqCst),
            0x18 => self.target.load(SeqCst),
            _ => 1,
        }
    }

    fn write(&self, offset: u64, _width: u8, value: u64) {
        self.accessed();
        match offset {
            0x10 => self.scratch.store(value, SeqCst),
            0x18 => self.target.store(value, SeqCst),
            _ => {}
        }
    }
}
