//! A driver for QEMU's edu device, for any platform of driver-scope.
//!
//! The device computes factorials and copies memory, takes its time for either, and says by an interrupt when it is done. The
//! handler acknowledges it where it is; a thread then takes the result. A time-out gives up what is never done. Work keeps statistics, and notices that
//! the device was pulled out.
//!
//! There is nothing in it about its own end. Its handlers, timers and work are stopped by the scope, its memory freed when the device does not reach it any
//! more, its registers unmapped after that.
#![no_std]
#![forbid(unsafe_code)]

use core::fmt;
use core::sync::atomic::{AtomicU32, Ordering};
use core::time::Duration;

use driver_scope::{Driver, DriverScope, IrqReturn, MaySleep, Mmio, PciDevice, Platform};

mod factorial;
pub mod registers;
mod stats;
mod transfer;

pub use factorial::Factorial;
pub use stats::{Snapshot, Stats};
pub use transfer::{Direction, Transfer};

use factorial::Factorials;
use registers::{
    Causes, EduRegs, Status, ID, INTERRUPT_ACKNOWLEDGE, INTERRUPT_STATUS, LIVENESS, STATUS,
};
use transfer::Transfers;

/// PCI vendor and device id of the device.
pub const PCI_ID: (u16, u16) = (0x1234, 0x11e8);

/// The period of the statistics.
const SAMPLE_PERIOD: Duration = Duration::from_millis(5);

/// The driver.
pub struct Edu;

/// The driver while it is bound.
pub struct EduData<'drv, P: Platform> {
    regs: Mmio<'drv, EduRegs, P>,
    stats: &'drv Stats,
    factorials: Factorials<'drv, P>,
    /// None where the platform has no DMA for the device.
    transfers: Option<Transfers<'drv, P>>,
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
        // Before the device may reach memory: for transfers, or for messages of interrupts.
        transfer::wait_until_idle(scope, regs)?;
        // What was raised for the driver before, and came too late for it: a line that is high already may raise no interrupt.
        let late = regs.read(INTERRUPT_STATUS);
        if !late.is_empty() {
            regs.write(INTERRUPT_ACKNOWLEDGE, late);
        }

        let stats = scope.named("counters").own(Stats::default())?;
        let factorials = Factorials::new(scope, regs, stats)?;
        let transfers = match dev.dma() {
            Ok(device) => {
                let dma = scope
                    .named("bus master")
                    .dma(device, transfer::ADDRESS_BITS)?;
                Some(Transfers::new(scope, dma, regs, stats)?)
            }
            Err(_) => None,
        };

        // What the handler has taken off the device, for the thread.
        let causes = scope.named("causes").own(AtomicU32::new(0))?;
        scope.named("interrupt").irq_threaded(
            dev.irq(0)?,
            move |_| match regs.read_or_gone(INTERRUPT_STATUS) {
                Ok(raised) if !raised.is_empty() => {
                    regs.write(INTERRUPT_ACKNOWLEDGE, raised);
                    causes.fetch_or(raised.bits(), Ordering::Relaxed);
                    IrqReturn::WakeThread
                }
                _ => IrqReturn::None,
            },
            move |_| {
                stats.interrupted();
                let causes = Causes::from_bits_retain(causes.swap(0, Ordering::Relaxed));
                if causes.contains(Causes::FACTORIAL) {
                    factorials.look();
                }
                if let Some(transfers) = transfers.filter(|_| causes.contains(Causes::DMA)) {
                    transfers.look();
                }
            },
        )?;
        // An interrupt when a factorial is done.
        regs.write(STATUS, Status::INTERRUPT);

        let statistics = scope.named("statistics").work(move |w| {
            match regs.read_or_gone(STATUS) {
                Ok(status) => stats.sample(status.contains(Status::COMPUTING)),
                Err(_) => {
                    // Nobody will raise an interrupt for them any more.
                    factorials.look();
                    if let Some(transfers) = transfers {
                        transfers.look();
                    }
                }
            }
            w.requeue_after(SAMPLE_PERIOD)
        })?;
        statistics.queue_after(SAMPLE_PERIOD)?;

        Ok(EduData {
            regs,
            stats,
            factorials,
            transfers,
        })
    }

    fn remove(data: &EduData<'_, P>, _cx: MaySleep<'_>) {
        // No interrupt when a factorial is done: nobody is left to take it. (A transfer cannot be told so; the next driver takes that.)
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

impl<P: Platform> EduData<'_, P> {
    /// Starts to compute the factorial of `argument`; the result comes to [`last`](EduData::last).
    ///
    /// Context: any.
    ///
    /// # Errors
    /// [`Error::Busy`] while another is being computed, also one that was given up, or that the driver was removed from: the device would not take a
    /// second argument, and its result would be that of the first. [`Error::Gone`]; [`Error::Core`] once the driver is being removed.
    pub fn start_factorial(&self, argument: u32) -> Result<(), Error> {
        self.factorials.start(argument)
    }

    /// Whether a factorial is being computed.
    pub fn is_computing(&self) -> bool {
        self.factorials.is_running()
    }

    /// What came of the last factorial.
    pub fn last(&self) -> Option<Result<Factorial, Error>> {
        self.factorials.last()
    }

    /// Starts to copy `bytes` into the device's buffer, from its byte `at` on; [`last_transfer`](EduData::last_transfer) tells when that is done.
    ///
    /// Context: any.
    ///
    /// # Errors
    /// [`Error::NotInBuffer`]; [`Error::Busy`] while another transfer is being made, also one that was given up; [`Error::Gone`]; [`Error::NoDma`]; [`Error::Core`] once
    /// the driver is being removed.
    pub fn send(&self, at: usize, bytes: &[u8]) -> Result<(), Error> {
        self.transfers()?.send(at, bytes)
    }

    /// Starts to copy so many bytes out of the device's buffer, from its byte `at` on; when that is done, [`received`](EduData::received) has them.
    ///
    /// Context: any.
    ///
    /// # Errors
    /// As for [`send`](EduData::send).
    pub fn receive(&self, at: usize, len: usize) -> Result<(), Error> {
        self.transfers()?.receive(at, len)
    }

    /// Takes what the last transfer has brought from the device, as much as fits; how many bytes. None if that went the other way.
    ///
    /// # Errors
    /// [`Error::Busy`] while a transfer is being made; what the last one failed with; [`Error::NoDma`].
    pub fn received(&self, to: &mut [u8]) -> Result<usize, Error> {
        self.transfers()?.received(to)
    }

    /// Whether a transfer is being made.
    pub fn is_transferring(&self) -> bool {
        self.transfers
            .is_some_and(|transfers| transfers.is_running())
    }

    /// What came of the last transfer.
    pub fn last_transfer(&self) -> Option<Result<Transfer, Error>> {
        self.transfers.and_then(|transfers| transfers.last())
    }

    fn transfers(&self) -> Result<&Transfers<'_, P>, Error> {
        self.transfers.as_ref().ok_or(Error::NoDma)
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
    /// The device is at another job of the same kind.
    Busy,
    /// The device did not finish in time.
    TimedOut,
    /// The device has been pulled out.
    Gone,
    /// The device cannot reach memory here.
    NoDma,
    /// Not a part of the device's buffer, which has 4096 bytes.
    NotInBuffer {
        /// Its first byte.
        at: usize,
        /// How many bytes.
        len: usize,
    },
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
            Error::Busy => f.write_str("the device has not finished what it is at"),
            Error::TimedOut => f.write_str("the device did not finish in time"),
            Error::Gone => f.write_str("the device has been pulled out"),
            Error::NoDma => f.write_str("the device cannot reach memory here"),
            Error::NotInBuffer { at, len } => {
                write!(
                    f,
                    "{len} bytes from {at} on are no part of the device's buffer"
                )
            }
        }
    }
}

impl core::error::Error for Error {}
