//! A driver for QEMU's edu device, for any platform of driver-scope.
//!
//! It computes factorials: the device takes its time, and an hrtimer looks at the status register until it is done, with a
//! delay that grows from look to look and a time-out. A second, periodic timer keeps statistics.
//!
//! There is nothing in it about its own end. Its timers are stopped by the scope, its registers unmapped after them.
#![no_std]
#![forbid(unsafe_code)]

use core::fmt;
use core::time::Duration;

use driver_scope::{
    Driver, DriverScope, HrTimer, Instant, Lock, MaySleep, Mmio, PciDevice, Platform, Restart,
    TimerContext,
};

pub mod registers;
mod stats;

pub use stats::{Snapshot, Stats};

use registers::{EduRegs, Status, FACTORIAL, ID, LIVENESS, STATUS};

/// PCI vendor and device id of the device.
pub const PCI_ID: (u16, u16) = (0x1234, 0x11e8);

/// How long after the start of a factorial the driver looks for the first time; each further look comes after twice the delay.
const FIRST_LOOK: Duration = Duration::from_micros(20);
/// The longest delay between two looks.
const LONGEST_DELAY: Duration = Duration::from_millis(20);
/// When a factorial is given up.
const TIME_OUT: Duration = Duration::from_secs(1);
/// The period of the statistics.
const SAMPLE_PERIOD: Duration = Duration::from_millis(5);

/// The driver.
pub struct Edu;

/// The driver while it is bound.
pub struct EduData<'drv, P: Platform> {
    platform: &'drv P,
    regs: Mmio<'drv, EduRegs, P>,
    stats: &'drv Stats,
    job: &'drv Lock<Job, P>,
    poll: HrTimer<'drv, P>,
}

/// What the device is computing, and what came of it.
#[derive(Default)]
struct Job {
    running: Option<Running>,
    last: Option<Result<Factorial, Error>>,
}

#[derive(Clone, Copy)]
struct Running {
    argument: u32,
    started: Instant,
    /// Until the next look at the status.
    delay: Duration,
}

/// A computed factorial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Factorial {
    /// Of which number.
    pub argument: u32,
    /// Its low 32 bits: the device computes in 32-bit arithmetic.
    pub value: u32,
    /// From the start until it was found done.
    pub took: Duration,
}

impl<P: Platform> Driver<P> for Edu {
    type Device = PciDevice<P>;
    type Data<'drv> = EduData<'drv, P>;
    type Error = Error;

    fn probe<'drv>(
        dev: &'drv PciDevice<P>,
        scope: &DriverScope<'drv, P>,
    ) -> Result<EduData<'drv, P>, Error> {
        let regs = scope.named("BAR 0").map::<EduRegs>(dev.bar(0)?)?;
        identify(regs)?;

        let stats = scope.named("statistics").own(Stats::default())?;
        let job = scope.named("job").own(Lock::new(Job::default()))?;
        let poll = scope.named("poll").hrtimer(move |t| {
            stats.poll();
            look(regs, &mut job.lock(), stats, t)
        })?;
        let sample = scope.named("sample").hrtimer(move |t| {
            stats.sample(regs.read(STATUS).contains(Status::COMPUTING));
            let next = t.forward(SAMPLE_PERIOD);
            stats.missed(t.overrun());
            next
        })?;
        sample.start(SAMPLE_PERIOD)?;

        Ok(EduData {
            platform: scope.platform(),
            regs,
            stats,
            job,
            poll,
        })
    }

    fn remove(data: &EduData<'_, P>, _cx: MaySleep<'_>) {
        // No interrupt when a factorial is done: nobody is left to take it.
        data.regs.write(STATUS, Status::empty());
    }
}

/// Makes sure that this is an edu device, and that it works.
fn identify<P: Platform>(regs: Mmio<'_, EduRegs, P>) -> Result<(), Error> {
    const PATTERN: u32 = 0x1234_5678;

    let id = regs.read(ID);
    if !id.is_edu() {
        return Err(Error::NotEdu { id: id.bits() });
    }
    regs.write(LIVENESS, PATTERN);
    let answer = regs.read(LIVENESS);
    if answer != !PATTERN {
        return Err(Error::NotAlive { answer });
    }
    Ok(())
}

/// One look at the device.
fn look<P: Platform>(
    regs: Mmio<'_, EduRegs, P>,
    job: &mut Job,
    stats: &Stats,
    t: &mut TimerContext<'_, P>,
) -> Restart {
    let Some(running) = &mut job.running else {
        return Restart::No;
    };
    let took = t.now().saturating_duration_since(running.started);
    let result = match regs.read_or_gone(STATUS) {
        Ok(status) if !status.contains(Status::COMPUTING) => Ok(Factorial {
            argument: running.argument,
            value: regs.read(FACTORIAL),
            took,
        }),
        Ok(_) if took < TIME_OUT => {
            running.delay = (running.delay * 2).min(LONGEST_DELAY);
            return t.restart_after(running.delay);
        }
        Ok(_) => Err(Error::TimedOut),
        // Pulled out.
        Err(_) => Err(Error::Gone),
    };
    // If it went while it was being read, what was read is no result.
    let result = regs
        .read_or_gone(STATUS)
        .map_or(Err(Error::Gone), |_| result);
    stats.finished(result.is_ok());
    job.running = None;
    job.last = Some(result);
    Restart::No
}

impl<P: Platform> EduData<'_, P> {
    /// Starts to compute the factorial of `argument`; the result comes to [`last`](EduData::last).
    ///
    /// Context: any.
    ///
    /// # Errors
    /// [`Error::Busy`] while another is being computed, also one that was given up, or that the driver was removed from: the device would not take a
    /// second argument, and its result would be that of the first. [`Error::Gone`]; [`Error::Core`] once the driver is being removed.
    pub fn start_factorial(&self, argument: u32) -> Result<(), Error> {
        let mut job = self.job.lock();
        if job.running.is_some() {
            return Err(Error::Busy);
        }
        match self.regs.read_or_gone(STATUS) {
            Ok(status) if !status.contains(Status::COMPUTING) => {}
            Ok(_) => return Err(Error::Busy),
            Err(_) => return Err(Error::Gone),
        }
        self.poll.start(FIRST_LOOK)?;
        self.regs.write(FACTORIAL, argument);
        job.running = Some(Running {
            argument,
            started: self.platform.now(),
            delay: FIRST_LOOK,
        });
        Ok(())
    }

    /// Whether a factorial is being computed.
    pub fn is_computing(&self) -> bool {
        self.job.lock().running.is_some()
    }

    /// What came of the last factorial.
    pub fn last(&self) -> Option<Result<Factorial, Error>> {
        self.job.lock().last
    }

    /// The statistics as of now.
    pub fn stats(&self) -> Snapshot {
        self.stats.snapshot()
    }

    /// The identification register.
    pub fn id(&self) -> u32 {
        self.regs.read(ID).bits()
    }
}

/// What can go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// An error of the scope or the platform.
    Core(driver_scope::Error),
    /// The identification register does not say that this is an edu device.
    NotEdu {
        /// What it says.
        id: u32,
    },
    /// The liveness register answered something else than the bitwise not of what it was told.
    NotAlive {
        /// What it answered.
        answer: u32,
    },
    /// A factorial is being computed.
    Busy,
    /// The device did not finish in time.
    TimedOut,
    /// The device has been pulled out.
    Gone,
}

impl From<driver_scope::Error> for Error {
    fn from(error: driver_scope::Error) -> Self {
        Error::Core(error)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Core(error) => error.fmt(f),
            Error::NotEdu { id } => {
                write!(f, "not an edu device: it identifies itself as {id:#010x}")
            }
            Error::NotAlive { answer } => {
                write!(
                    f,
                    "the device does not work: its liveness register answers {answer:#010x}"
                )
            }
            Error::Busy => f.write_str("the device is computing another factorial"),
            Error::TimedOut => f.write_str("the device did not finish in time"),
            Error::Gone => f.write_str("the device has been pulled out"),
        }
    }
}

impl core::error::Error for Error {}
