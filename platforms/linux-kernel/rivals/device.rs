// SPDX-License-Identifier: GPL-2.0

//! What the edu device does, given its registers: for either rival, whichever way it comes to them.

use kernel::{
    io::{poll::read_poll_timeout, Io},
    pci,
    prelude::*,
    sync::atomic::{Atomic, Relaxed},
    time::{Delta, Instant, Monotonic},
};

use crate::registers::*;

/// When a factorial or a transfer is given up.
pub(crate) const TIME_OUT: Delta = Delta::from_secs(1);

/// The period of the statistics, in milliseconds.
pub(crate) const SAMPLE_PERIOD: u32 = 5;

/// The addresses of the device's DMA engine have so many bits.
pub(crate) const ADDRESS_BITS: u32 = 28;

/// What the driver has done so far.
pub(crate) struct Stats {
    pub(crate) interrupts: Atomic<u32>,
    pub(crate) computed: Atomic<u32>,
    pub(crate) transferred: Atomic<u32>,
    pub(crate) failed: Atomic<u32>,
    pub(crate) samples: Atomic<u32>,
    pub(crate) busy: Atomic<u32>,
}

impl Stats {
    pub(crate) fn new() -> Self {
        Self {
            interrupts: Atomic::new(0),
            computed: Atomic::new(0),
            transferred: Atomic::new(0),
            failed: Atomic::new(0),
            samples: Atomic::new(0),
            busy: Atomic::new(0),
        }
    }
}

/// A computed factorial.
#[derive(Clone, Copy)]
pub(crate) struct Factorial {
    pub(crate) argument: u32,
    pub(crate) value: u32,
    pub(crate) took: Delta,
}

/// Which way a transfer goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    ToDevice,
    FromDevice,
}

/// A transfer that was made.
#[derive(Clone, Copy)]
pub(crate) struct Transfer {
    pub(crate) direction: Direction,
    pub(crate) len: usize,
    pub(crate) took: Delta,
}

/// Makes sure that this is an edu device, and that it works.
pub(crate) fn identify(pdev: &pci::Device, bar: &Bar0<'_>) -> Result {
    const PATTERN: u32 = 0x1234_5678;

    let id = bar.read(ID);
    if id.magic() != 0xed {
        dev_err!(pdev, "not an edu device: it identifies itself as {:#010x}\n", id.into_raw());
        return Err(ENODEV);
    }
    bar.write_reg(LIVENESS::from(PATTERN));
    let answer = bar.read(LIVENESS).into_raw();
    if answer != !PATTERN {
        dev_err!(pdev, "the device does not work: its liveness register answers {:#010x}\n", answer);
        return Err(EIO);
    }
    Ok(())
}

/// Waits until the device has finished a transfer: one that the driver before had it make, or the last one of this driver.
pub(crate) fn wait_until_idle(bar: &Bar0<'_>) -> Result {
    read_poll_timeout(
        || or_gone(bar.read(DMA_COMMAND)),
        |command| !command.start(),
        Delta::from_millis(1),
        TIME_OUT,
    )
    .map_err(|error| if error == ETIMEDOUT { EBUSY } else { error })?;
    Ok(())
}

/// What the device is computing, and what came of it.
#[derive(Default)]
pub(crate) struct FactorialJob {
    running: Option<(u32, Instant<Monotonic>)>,
    last: Option<Result<Factorial>>,
}

impl FactorialJob {
    pub(crate) fn start(&mut self, bar: &Bar0<'_>, argument: u32) -> Result {
        if self.running.is_some() {
            return Err(EBUSY);
        }
        // It ignores an argument while it computes: one that was given up, or that of the driver before. That result would be taken for this one.
        if or_gone(bar.read(STATUS))?.computing() {
            return Err(EBUSY);
        }
        self.running = Some((argument, Instant::now()));
        bar.write_reg(FACTORIAL::from(argument));
        Ok(())
    }

    /// Takes the result, if there is one, or gives up.
    pub(crate) fn finish(&mut self, bar: &Bar0<'_>, stats: &Stats, time_is_out: bool) {
        let Some((argument, started)) = self.running else {
            return;
        };
        let took = started.elapsed();
        let result = match or_gone(bar.read(STATUS)) {
            Ok(status) if !status.computing() => {
                let value = bar.read(FACTORIAL).into_raw();
                // If it went while it was being read, what was read is no result.
                or_gone(bar.read(STATUS)).map(|_| Factorial { argument, value, took })
            }
            // A time-out of the one before, which came while that was being finished, is not this one's.
            Ok(_) if !time_is_out || took < TIME_OUT => return,
            Ok(_) => Err(ETIMEDOUT),
            Err(gone) => Err(gone),
        };
        let counter = if result.is_ok() { &stats.computed } else { &stats.failed };
        counter.add(1, Relaxed);
        self.running = None;
        self.last = Some(result);
    }

    pub(crate) fn is_running(&self) -> bool {
        self.running.is_some()
    }

    pub(crate) fn last(&self) -> Option<Result<Factorial>> {
        self.last
    }
}

/// What the device is transferring, and what came of it.
#[derive(Default)]
pub(crate) struct TransferJob {
    running: Option<(Direction, usize, Instant<Monotonic>)>,
    last: Option<Result<Transfer>>,
}

impl TransferJob {
    /// Starts a transfer between `address` and the device's buffer from its byte `at` on; `prepare` may use the memory.
    pub(crate) fn start(
        &mut self,
        bar: &Bar0<'_>,
        direction: Direction,
        address: u32,
        at: usize,
        len: usize,
        prepare: impl FnOnce(),
    ) -> Result {
        let place = place(at, len)?;
        if self.running.is_some() {
            return Err(EBUSY);
        }
        // One that was given up: it goes on, in the same memory.
        if or_gone(bar.read(DMA_COMMAND))?.start() {
            return Err(EBUSY);
        }
        prepare();
        let to_memory = direction == Direction::FromDevice;
        let (source, destination) = if to_memory { (place, address) } else { (address, place) };
        bar.write_reg(DMA_SOURCE::from(source));
        bar.write_reg(DMA_DESTINATION::from(destination));
        bar.write_reg(DMA_COUNT::from(len as u32));
        self.running = Some((direction, len, Instant::now()));
        // The doorbell: `writel` comes after all that was written to memory.
        bar.write_reg(
            DMA_COMMAND::zeroed()
                .with_start(true)
                .with_interrupt(true)
                .with_to_memory(to_memory),
        );
        Ok(())
    }

    /// Takes note that the transfer is done, if it is, or gives it up.
    pub(crate) fn finish(&mut self, bar: &Bar0<'_>, stats: &Stats, time_is_out: bool) {
        let Some((direction, len, started)) = self.running else {
            return;
        };
        let took = started.elapsed();
        let result = match or_gone(bar.read(DMA_COMMAND)) {
            Ok(command) if !command.start() => Ok(Transfer { direction, len, took }),
            // As for a factorial.
            Ok(_) if !time_is_out || took < TIME_OUT => return,
            Ok(_) => Err(ETIMEDOUT),
            Err(gone) => Err(gone),
        };
        let counter = if result.is_ok() { &stats.transferred } else { &stats.failed };
        counter.add(1, Relaxed);
        self.running = None;
        self.last = Some(result);
    }

    /// How many bytes the last transfer has brought.
    pub(crate) fn received(&self) -> Result<usize> {
        match (self.running, self.last) {
            (Some(_), _) => Err(EBUSY),
            (None, Some(Ok(done))) if done.direction == Direction::FromDevice => Ok(done.len),
            (None, Some(Err(error))) => Err(error),
            (None, _) => Ok(0),
        }
    }

    pub(crate) fn is_running(&self) -> bool {
        self.running.is_some()
    }

    pub(crate) fn last(&self) -> Option<Result<Transfer>> {
        self.last
    }
}

/// Where the device has that part of its buffer.
fn place(at: usize, len: usize) -> Result<u32> {
    match at.checked_add(len) {
        Some(end) if len > 0 && end <= DMA_BUFFER_SIZE => Ok(DMA_BUFFER + at as u32),
        _ => Err(EINVAL),
    }
}
