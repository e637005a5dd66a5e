//! The device behind the lock: its units, and how accesses reach them.

use crate::access::{truncate, Arrival};
use crate::config::EduConfig;
use crate::counts::{AccessCounts, TransferCounts};
use crate::dma::Dma;
use crate::factorial::Factorial;
use crate::interrupts::Interrupts;
use crate::memory::Memory;
use crate::registers::{
    Register, ID, INTERRUPT_DMA, INTERRUPT_FACTORIAL, STATUS_COMPUTING, STATUS_INTERRUPT,
};

/// What became of a write, or of a part of it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Written {
    Done,
    Busy,
    Unserved,
}

/// The device.
#[derive(Debug)]
pub(crate) struct State {
    plugged: bool,
    /// The latest time seen. Callers look at the clock before they lock, so one may come with an
    /// earlier time than its predecessor's; the device's own time never goes back.
    now: u64,
    liveness: u32,
    interrupt_when_done: bool,
    factorial: Factorial,
    interrupts: Interrupts,
    dma: Dma,
    counts: AccessCounts,
}

impl State {
    pub(crate) fn new(config: &EduConfig) -> Self {
        Self {
            plugged: true,
            now: 0,
            liveness: 0,
            interrupt_when_done: false,
            factorial: Factorial::new(config),
            interrupts: Interrupts::default(),
            dma: Dma::new(config),
            counts: AccessCounts::default(),
        }
    }

    /// Does what was due by `clock`. The order of two ends does not show: they set different bits.
    pub(crate) fn settle(&mut self, clock: u64) {
        self.now = self.now.max(clock);
        if !self.plugged {
            return;
        }
        if self.factorial.settle(self.now) && self.interrupt_when_done {
            self.interrupts.raise(INTERRUPT_FACTORIAL);
        }
        if self.dma.settle(self.now) {
            self.interrupts.raise(INTERRUPT_DMA);
        }
    }

    pub(crate) fn unplug(&mut self) {
        self.plugged = false;
    }

    pub(crate) fn is_plugged(&self) -> bool {
        self.plugged
    }

    pub(crate) fn is_computing(&self) -> bool {
        self.plugged && self.factorial.ends().is_some()
    }

    pub(crate) fn interrupt_level(&self) -> bool {
        self.plugged && self.interrupts.status() != 0
    }

    pub(crate) fn messages(&self) -> u64 {
        self.interrupts.messages()
    }

    pub(crate) fn next_event(&self) -> Option<u64> {
        if !self.plugged {
            return None;
        }
        let ends = [self.factorial.ends(), self.dma.ends()];
        ends.into_iter().flatten().min()
    }

    pub(crate) fn counts(&self) -> AccessCounts {
        self.counts
    }

    pub(crate) fn set_memory(&mut self, memory: Box<dyn Memory>) {
        self.dma.set_memory(memory);
    }

    pub(crate) fn transfers(&self) -> TransferCounts {
        self.dma.counts()
    }

    /// A CPU read of `width` bytes at `offset`.
    pub(crate) fn read(&mut self, offset: u64, width: u8) -> u64 {
        self.counts.reads += 1;
        if !self.plugged {
            self.counts.removed += 1;
            return truncate(u64::MAX, width);
        }
        let (value, served) = match Arrival::of(offset, width) {
            Arrival::Never => (0, false),
            Arrival::Whole => match self.read_register(offset, width) {
                Some(value) => (truncate(value, width), true),
                None => (truncate(u64::MAX, width), false),
            },
            Arrival::Halves => {
                let low = self.read_register(offset, 4);
                let high = self.read_register(offset + 4, 4);
                let half = |part: Option<u64>| truncate(part.unwrap_or(u64::MAX), 4);
                (
                    half(low) | half(high) << 32,
                    low.is_some() && high.is_some(),
                )
            }
        };
        self.counts.unserved += u64::from(!served);
        value
    }

    /// A CPU write of `width` bytes at `offset`.
    pub(crate) fn write(&mut self, offset: u64, width: u8, value: u64) {
        self.counts.writes += 1;
        if !self.plugged {
            self.counts.removed += 1;
            return;
        }
        let parts = match Arrival::of(offset, width) {
            Arrival::Never => [Written::Unserved; 2],
            Arrival::Whole => [self.write_register(offset, width, truncate(value, width)); 2],
            Arrival::Halves => [
                self.write_register(offset, 4, truncate(value, 4)),
                self.write_register(offset + 4, 4, value >> 32),
            ],
        };
        self.counts.unserved += u64::from(parts.contains(&Written::Unserved));
        self.counts.busy += u64::from(parts.contains(&Written::Busy));
    }

    /// What the register at `offset` reads as; `None` where none answers.
    fn read_register(&self, offset: u64, width: u8) -> Option<u64> {
        Some(match Register::at(offset, width)? {
            Register::Id => ID.into(),
            Register::Liveness => self.liveness.into(),
            Register::Factorial => self.factorial.value().into(),
            Register::Status => self.status().into(),
            Register::InterruptStatus => self.interrupts.status().into(),
            Register::InterruptRaise | Register::InterruptAcknowledge => return None,
            Register::Dma(register) => self.dma.read(register),
        })
    }

    fn write_register(&mut self, offset: u64, width: u8, value: u64) -> Written {
        let Some(register) = Register::at(offset, width) else {
            return Written::Unserved;
        };
        // What is below 0x80 is written with 4 bytes only, so nothing is cut off here.
        let word = value as u32;
        let accepted = match register {
            Register::Id | Register::InterruptStatus => return Written::Unserved,
            Register::Liveness => {
                self.liveness = !word;
                true
            }
            Register::Factorial => self.factorial.start(self.now, word),
            Register::Status => {
                self.interrupt_when_done = word & STATUS_INTERRUPT != 0;
                true
            }
            Register::InterruptRaise => {
                self.interrupts.raise(word);
                true
            }
            Register::InterruptAcknowledge => {
                self.interrupts.acknowledge(word);
                true
            }
            Register::Dma(register) => self.dma.write(self.now, register, value),
        };
        if accepted {
            Written::Done
        } else {
            Written::Busy
        }
    }

    fn status(&self) -> u32 {
        let computing = if self.factorial.ends().is_some() {
            STATUS_COMPUTING
        } else {
            0
        };
        let interrupt = if self.interrupt_when_done {
            STATUS_INTERRUPT
        } else {
            0
        };
        computing | interrupt
    }
}
