//! Transfers: the device copies between memory and a buffer of its own.

use core::time::Duration;

use driver_scope::{
    DmaBuffer, DmaDevice, DriverScope, HrTimer, Instant, Lock, Mmio, Platform, Poll, Restart,
};

use crate::registers::{
    DmaCommand, EduRegs, DMA_BUFFER, DMA_BUFFER_SIZE, DMA_COMMAND, DMA_COUNT, DMA_DESTINATION,
    DMA_SOURCE,
};
use crate::{Error, Stats};

/// The addresses of the device's DMA engine have so many bits.
pub(crate) const ADDRESS_BITS: u32 = 28;

/// When a transfer is given up.
const TIME_OUT: Duration = Duration::from_secs(1);

/// How often a probe looks whether the device is done.
const LOOK_PERIOD: Duration = Duration::from_millis(1);

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From memory to the device.
    ToDevice,
    /// From the device to memory.
    FromDevice,
}

/// A transfer that was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// Which way.
    pub direction: Direction,
    /// How many bytes.
    pub len: usize,
    /// From the start until it was done.
    pub took: Duration,
}

/// What the device is transferring, and what came of it.
#[derive(Default)]
pub(crate) struct Job {
    running: Option<(Direction, usize, Instant)>,
    last: Option<Result<Transfer, Error>>,
}

/// The device's DMA engine.
pub(crate) struct Transfers<'drv, P: Platform> {
    platform: &'drv P,
    regs: Mmio<'drv, EduRegs, P>,
    stats: &'drv Stats,
    /// In memory; as large as the device's.
    buffer: DmaBuffer<'drv, [u8], P>,
    job: &'drv Lock<Job, P>,
    time_out: HrTimer<'drv, P>,
}

impl<P: Platform> Clone for Transfers<'_, P> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<P: Platform> Copy for Transfers<'_, P> {}

/// Waits until the device has finished what the driver before had it transfer.
///
/// It has been kept from memory, but goes on, to where that driver's memory was, once it is let again.
///
/// # Errors
/// [`Error::Busy`] if that takes too long; [`Error::Gone`].
pub(crate) fn wait_until_idle<P: Platform>(
    scope: &DriverScope<'_, P>,
    regs: Mmio<'_, EduRegs, P>,
) -> Result<(), Error> {
    let how = Poll::sleeping(scope.platform(), scope.may_sleep(), LOOK_PERIOD, TIME_OUT);
    match regs.poll(DMA_COMMAND, how, |c| !c.contains(DmaCommand::START)) {
        Ok(_) => Ok(()),
        Err(driver_scope::Error::TimedOut) => Err(Error::Busy),
        Err(driver_scope::Error::Gone) => Err(Error::Gone),
        Err(error) => Err(error.into()),
    }
}

impl<'drv, P: Platform> Transfers<'drv, P> {
    pub(crate) fn new(
        scope: &DriverScope<'drv, P>,
        dma: DmaDevice<'drv, P>,
        regs: Mmio<'drv, EduRegs, P>,
        stats: &'drv Stats,
    ) -> Result<Self, Error> {
        let platform = scope.platform();
        let buffer = scope
            .named("transfer buffer")
            .dma_bytes(dma, DMA_BUFFER_SIZE as usize)?;
        let job = scope.named("transfer").own(Lock::new(Job::default()))?;
        let time_out = scope.named("transfer time-out").hrtimer(move |_| {
            finish(platform, regs, stats, &mut job.lock(), true);
            Restart::No
        })?;
        Ok(Transfers {
            platform,
            regs,
            stats,
            buffer,
            job,
            time_out,
        })
    }

    /// Copies `bytes` into the device's buffer, from its byte `at` on.
    pub(crate) fn send(&self, at: usize, bytes: &[u8]) -> Result<(), Error> {
        let place = place(at, bytes.len())?;
        self.start(Direction::ToDevice, bytes.len(), || {
            self.buffer.copy_in(0, bytes)?;
            self.regs.write(DMA_SOURCE, self.address());
            self.regs.write(DMA_DESTINATION, place);
            Ok(DmaCommand::empty())
        })
    }

    /// Copies so many bytes out of the device's buffer, from its byte `at` on.
    pub(crate) fn receive(&self, at: usize, len: usize) -> Result<(), Error> {
        let place = place(at, len)?;
        self.start(Direction::FromDevice, len, || {
            self.regs.write(DMA_SOURCE, place);
            self.regs.write(DMA_DESTINATION, self.address());
            Ok(DmaCommand::TO_MEMORY)
        })
    }

    fn start(
        &self,
        direction: Direction,
        len: usize,
        prepare: impl FnOnce() -> Result<DmaCommand, Error>,
    ) -> Result<(), Error> {
        let mut job = self.job.lock();
        if job.running.is_some() {
            return Err(Error::Busy);
        }
        // One that was given up: it goes on, in the same memory.
        match self.regs.read_or_gone(DMA_COMMAND) {
            Ok(command) if command.contains(DmaCommand::START) => return Err(Error::Busy),
            Ok(_) => {}
            Err(_) => return Err(Error::Gone),
        }
        let command = prepare()?;
        self.regs.write(DMA_COUNT, len as u32);
        // First the present: as for a factorial.
        let started = self.platform.now();
        self.time_out.start(TIME_OUT)?;
        job.running = Some((direction, len, started));
        // The doorbell: it comes after all that was written to memory.
        self.regs.write(
            DMA_COMMAND,
            command | DmaCommand::START | DmaCommand::INTERRUPT,
        );
        Ok(())
    }

    /// Where the device finds the buffer in memory. (It fits: see `ADDRESS_BITS`.)
    fn address(&self) -> u32 {
        self.buffer.address() as u32
    }

    /// Looks whether the device is done: it says so, or may be gone.
    pub(crate) fn look(&self) {
        let mut job = self.job.lock();
        finish(self.platform, self.regs, self.stats, &mut job, false);
        if job.running.is_none() {
            // If it expires all the same: as for a factorial.
            let _ = self.time_out.try_cancel();
        }
    }

    /// What the last transfer has brought; how many bytes.
    pub(crate) fn received(&self, to: &mut [u8]) -> Result<usize, Error> {
        let job = self.job.lock();
        match (job.running, job.last) {
            (Some(_), _) => Err(Error::Busy),
            (None, Some(Ok(done))) if done.direction == Direction::FromDevice => {
                let len = done.len.min(to.len());
                self.buffer.copy_out(0, &mut to[..len])?;
                Ok(len)
            }
            (None, Some(Err(error))) => Err(error),
            (None, _) => Ok(0),
        }
    }

    pub(crate) fn is_running(&self) -> bool {
        self.job.lock().running.is_some()
    }

    pub(crate) fn last(&self) -> Option<Result<Transfer, Error>> {
        self.job.lock().last
    }
}

/// Where the device has that part of its buffer.
fn place(at: usize, len: usize) -> Result<u32, Error> {
    let end = at.checked_add(len);
    match end {
        Some(end) if len > 0 && end <= DMA_BUFFER_SIZE as usize => Ok(DMA_BUFFER + at as u32),
        _ => Err(Error::NotInBuffer { at, len }),
    }
}

/// Takes note that the transfer is done, if it is, or gives it up.
fn finish<P: Platform>(
    platform: &P,
    regs: Mmio<'_, EduRegs, P>,
    stats: &Stats,
    job: &mut Job,
    time_is_out: bool,
) {
    let Some((direction, len, started)) = job.running else {
        return;
    };
    let took = platform.now().saturating_duration_since(started);
    // What it has brought is read after this, as `Mmio::read` promises.
    let result = match regs.read_or_gone(DMA_COMMAND) {
        Ok(command) if !command.contains(DmaCommand::START) => Ok(Transfer {
            direction,
            len,
            took,
        }),
        // As for a factorial.
        Ok(_) if !time_is_out || took < TIME_OUT => return,
        Ok(_) => Err(Error::TimedOut),
        // Pulled out.
        Err(_) => Err(Error::Gone),
    };
    stats.transferred(result.is_ok());
    job.running = None;
    job.last = Some(result);
}
