//! Factorials: the device computes them, and says by an interrupt when it is done.

use core::time::Duration;

use driver_scope::{DriverScope, HrTimer, Instant, Lock, Mmio, Platform, Restart};

use crate::registers::{EduRegs, Status, FACTORIAL, STATUS};
use crate::{Error, Stats};

/// When a factorial is given up.
const TIME_OUT: Duration = Duration::from_secs(1);

/// A computed factorial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Factorial {
    /// Of which number.
    pub argument: u32,
    /// Its low 32 bits: the device computes in 32-bit arithmetic.
    pub value: u32,
    /// From the start until the result was there.
    pub took: Duration,
}

/// What the device is computing, and what came of it.
#[derive(Default)]
pub(crate) struct Job {
    running: Option<(u32, Instant)>,
    last: Option<Result<Factorial, Error>>,
}

/// The device's arithmetic unit.
pub(crate) struct Factorials<'drv, P: Platform> {
    platform: &'drv P,
    regs: Mmio<'drv, EduRegs, P>,
    stats: &'drv Stats,
    job: &'drv Lock<Job, P>,
    time_out: HrTimer<'drv, P>,
}

impl<P: Platform> Clone for Factorials<'_, P> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<P: Platform> Copy for Factorials<'_, P> {}

impl<'drv, P: Platform> Factorials<'drv, P> {
    pub(crate) fn new(
        scope: &DriverScope<'drv, P>,
        regs: Mmio<'drv, EduRegs, P>,
        stats: &'drv Stats,
    ) -> Result<Self, Error> {
        let platform = scope.platform();
        let job = scope.named("factorial").own(Lock::new(Job::default()))?;
        let time_out = scope.named("factorial time-out").hrtimer(move |_| {
            finish(platform, regs, stats, &mut job.lock(), true);
            Restart::No
        })?;
        Ok(Factorials {
            platform,
            regs,
            stats,
            job,
            time_out,
        })
    }

    pub(crate) fn start(&self, argument: u32) -> Result<(), Error> {
        let mut job = self.job.lock();
        if job.running.is_some() {
            return Err(Error::Busy);
        }
        // It ignores an argument while it computes: one that was given up, or that of the driver before, which was removed meanwhile. That result would be
        // taken for this one.
        match self.regs.read_or_gone(STATUS) {
            Ok(status) if status.contains(Status::COMPUTING) => return Err(Error::Busy),
            Ok(_) => {}
            Err(_) => return Err(Error::Gone),
        }
        // First the present: when the time is out, at least as much has passed since.
        let started = self.platform.now();
        self.time_out.start(TIME_OUT)?;
        job.running = Some((argument, started));
        self.regs.write(FACTORIAL, argument);
        Ok(())
    }

    /// Looks whether the device is done: it says so, or may be gone.
    pub(crate) fn look(&self) {
        let mut job = self.job.lock();
        finish(self.platform, self.regs, self.stats, &mut job, false);
        if job.running.is_none() {
            // If it expires all the same it finds nothing to give up; or the next one, whose time is not out: see `finish`.
            let _ = self.time_out.try_cancel();
        }
    }

    pub(crate) fn is_running(&self) -> bool {
        self.job.lock().running.is_some()
    }

    pub(crate) fn last(&self) -> Option<Result<Factorial, Error>> {
        self.job.lock().last
    }
}

/// Takes the result, if there is one, or gives up.
fn finish<P: Platform>(
    platform: &P,
    regs: Mmio<'_, EduRegs, P>,
    stats: &Stats,
    job: &mut Job,
    time_is_out: bool,
) {
    let Some((argument, started)) = job.running else {
        return;
    };
    let took = platform.now().saturating_duration_since(started);
    let result = match regs.read_or_gone(STATUS) {
        Ok(status) if !status.contains(Status::COMPUTING) => {
            let value = regs.read(FACTORIAL);
            // If it went while it was being read, what was read is no result.
            match regs.read_or_gone(STATUS) {
                Ok(_) => Ok(Factorial {
                    argument,
                    value,
                    took,
                }),
                Err(_) => Err(Error::Gone),
            }
        }
        // A time-out of the one before, which came while that was being finished, is not this one's. That follows: its timer has been started again.
        Ok(_) if !time_is_out || took < TIME_OUT => return,
        Ok(_) => Err(Error::TimedOut),
        // Pulled out.
        Err(_) => Err(Error::Gone),
    };
    stats.finished(result.is_ok());
    job.running = None;
    job.last = Some(result);
}
