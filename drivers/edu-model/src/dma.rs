//! The DMA unit: its registers, its time and its transfers.

use std::fmt;

use crate::config::{nanoseconds, EduConfig};
use crate::counts::TransferCounts;
use crate::memory::Memory;
use crate::registers::{DmaRegister, BUFFER, BUFFER_SIZE, DMA_INTERRUPT, DMA_RUN, DMA_TO_MEMORY};

/// The DMA unit.
pub(crate) struct Dma {
    source: u64,
    destination: u64,
    count: u64,
    command: u64,
    /// When the transfer ends, in clock nanoseconds; `None` while idle.
    ends: Option<u64>,
    /// How long a transfer takes, in nanoseconds.
    delay: u64,
    /// Which bits of an address of memory count.
    mask: u64,
    buffer: Box<[u8; BUFFER_SIZE]>,
    memory: Option<Box<dyn Memory>>,
    counts: TransferCounts,
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
            mask: config.dma_mask,
            buffer: Box::new([0; BUFFER_SIZE]),
            memory: None,
            counts: TransferCounts::default(),
        }
    }

    pub(crate) fn set_memory(&mut self, memory: Box<dyn Memory>) {
        self.memory = Some(memory);
    }

    pub(crate) fn counts(&self) -> TransferCounts {
        self.counts
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
        self.transfer();
        self.command &= !DMA_RUN;
        self.command & DMA_INTERRUPT != 0
    }

    /// Moves the bytes, if there is memory.
    fn transfer(&mut self) {
        let Some(memory) = &self.memory else {
            return;
        };
        let to_memory = self.command & DMA_TO_MEMORY != 0;
        let (own, other) = if to_memory {
            (self.source, self.destination)
        } else {
            (self.destination, self.source)
        };
        let address = other & self.mask;
        self.counts.clamped += u64::from(address != other);
        let Some(part) = part_of_buffer(own, self.count) else {
            self.counts.out_of_range += 1;
            return;
        };
        let buffer = &mut self.buffer[part];
        let done = if to_memory {
            memory.write(address, buffer)
        } else {
            memory.read(address, buffer)
        };
        if done {
            self.counts.made += 1;
        } else {
            self.counts.refused += 1;
        }
    }
}

/// The part of the buffer that so many bytes from an address on are.
fn part_of_buffer(address: u64, count: u64) -> Option<std::ops::Range<usize>> {
    let start = usize::try_from(address.checked_sub(BUFFER)?).ok()?;
    let end = start.checked_add(usize::try_from(count).ok()?)?;
    (end <= BUFFER_SIZE).then_some(start..end)
}

impl fmt::Debug for Dma {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dma")
            .field("source", &self.source)
            .field("destination", &self.destination)
            .field("count", &self.count)
            .field("command", &self.command)
            .field("ends", &self.ends)
            .field("counts", &self.counts)
            .finish_non_exhaustive()
    }
}
