//! The DMA unit: its registers and its time, without the transfer.

use crate::config::{nanoseconds, EduConfig};
use crate::registers::{DmaRegister, DMA_INTERRUPT, DMA_RUN};

/// The DMA unit. It moves no memory yet.
#[derive(Debug)]
pub(crate) struct Dma {
    source: u64,
    destination: u64,
    count: u64,
    command: u64,
    /// When the transfer ends, in clock nanoseconds; `None` while idle.
    ends: Option<u64>,
    /// How long a transfer takes, in nanoseconds.
    delay: u64,
}

impl Dma {
    pub(crate) fn new(config: &EduConfig) -> Self {
        Self {
            source: 0,
            destination: 0,
            count: 0,
            command: 0,
            ends: None,
            delay: nanoseconds(config.transfer),
        }
    }

    /// When the transfer ends; `None` while idle.
    pub(crate) fn ends(&self) -> Option<u64> {
        self.ends
    }

    pub(crate) fn read(&self, register: DmaRegister) -> u64 {
        match register {
            DmaRegister::Source => self.source,
            DmaRegister::Destination => self.destination,
            DmaRegister::Count => self.count,
            DmaRegister::Command => self.command,
        }
    }

    /// Writes a register; false, and without effect, if a transfer runs.
    pub(crate) fn write(&mut self, now: u64, register: DmaRegister, value: u64) -> bool {
        if self.ends.is_some() {
            return false;
        }
        match register {
            DmaRegister::Source => self.source = value,
            DmaRegister::Destination => self.destination = value,
            DmaRegister::Count => self.count = value,
            DmaRegister::Command if value & DMA_RUN == 0 => {}
            DmaRegister::Command => {
                self.command = value;
                self.ends = Some(now.saturating_add(self.delay));
            }
        }
        true
    }

    /// Ends a transfer that is due; true if one was and an interrupt is wanted.
    pub(crate) fn settle(&mut self, now: u64) -> bool {
        if self.ends.is_none_or(|ends| now < ends) {
            return false;
        }
        self.ends = None;
        self.command &= !DMA_RUN;
        self.command & DMA_INTERRUPT != 0
    }
}
