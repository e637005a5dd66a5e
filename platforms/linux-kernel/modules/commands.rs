// SPDX-License-Identifier: GPL-2.0

//! The driver's file: a command a line is written to it, its state is read.

use core::fmt;
use core::str::SplitWhitespace;
use core::time::Duration;

use driver_scope::{Driver, Error as Core};
use driver_scope_linux::{DeviceFile, Linux};
use edu::{Direction, EduData};
use kernel::prelude::*;

/// The length of the device's buffer, and so of the longest transfer.
const BUFFER: usize = edu::registers::DMA_BUFFER_SIZE as usize;

/// The file of a driver whose data lead to those of an edu.
pub(crate) struct Commands;

/// Data that lead to those of an edu.
pub(crate) trait LeadsToEdu<'drv> {
    fn edu(&self) -> &EduData<'drv, Linux>;
}

impl<'drv> LeadsToEdu<'drv> for EduData<'drv, Linux> {
    fn edu(&self) -> &EduData<'drv, Linux> {
        self
    }
}

impl<D> DeviceFile<D> for Commands
where
    D: Driver<Linux>,
    for<'drv> D::Data<'drv>: LeadsToEdu<'drv>,
{
    fn write(data: &D::Data<'_>, line: &str) -> Result {
        let edu = data.edu();
        let mut words = line.split_whitespace();
        let done = match words.next() {
            Some("factorial") => edu.start_factorial(number(&mut words)?),
            Some("send") => {
                let (at, bytes) = (number(&mut words)?, pattern(number(&mut words)?)?);
                edu.send(at, &bytes)
            }
            Some("receive") => edu.receive(number(&mut words)?, number(&mut words)?),
            _ => return Err(EINVAL),
        };
        match words.next() {
            None => done.map_err(errno),
            Some(_) => Err(EINVAL),
        }
    }

    fn read(data: &D::Data<'_>, out: &mut dyn fmt::Write) -> fmt::Result {
        let edu = data.edu();
        let working = |is_working| if is_working { "running" } else { "idle" };
        writeln!(out, "id {:#010x}", edu.id())?;
        writeln!(out, "factorial {}", working(edu.is_computing()))?;
        match edu.last() {
            None => writeln!(out, "last factorial none")?,
            Some(Ok(last)) => writeln!(
                out,
                "last factorial {} = {} in {} ns",
                last.argument,
                last.value,
                nanos(last.took)
            )?,
            Some(Err(error)) => writeln!(out, "last factorial {error}")?,
        }
        writeln!(out, "transfer {}", working(edu.is_transferring()))?;
        match edu.last_transfer() {
            None => writeln!(out, "last transfer none")?,
            Some(Ok(last)) => {
                let direction = match last.direction {
                    Direction::ToDevice => "to-device",
                    Direction::FromDevice => "from-device",
                };
                let took = nanos(last.took);
                writeln!(out, "last transfer {direction} {} in {took} ns", last.len)?;
            }
            Some(Err(error)) => writeln!(out, "last transfer {error}")?,
        }
        let mut received = zeroes(BUFFER).map_err(|_| fmt::Error)?;
        match edu.received(&mut received) {
            Ok(len) if len > 0 => writeln!(
                out,
                "received {len} bytes {:#010x}",
                fnv1a(&received[..len])
            )?,
            _ => writeln!(out, "received none")?,
        }
        let stats = edu.stats();
        writeln!(
            out,
            "stats interrupts={} computed={} transferred={} failed={} samples={} busy={}",
            stats.interrupts,
            stats.computed,
            stats.transferred,
            stats.failed,
            stats.samples,
            stats.busy
        )
    }
}

fn number<T: core::str::FromStr>(words: &mut SplitWhitespace<'_>) -> Result<T> {
    let word = words.next().ok_or(EINVAL)?;
    word.parse().map_err(|_| EINVAL)
}

/// (The kernel has no division of 128 bits, which the whole number would be shown by.)
fn nanos(duration: Duration) -> u64 {
    duration.as_nanos() as u64
}

fn zeroes(len: usize) -> Result<KVec<u8>> {
    Ok(KVec::from_elem(0, len, GFP_KERNEL)?)
}

/// So many bytes, none like the one before.
fn pattern(len: usize) -> Result<KVec<u8>> {
    if len > BUFFER {
        return Err(EINVAL);
    }
    let mut bytes = zeroes(len)?;
    for (n, byte) in bytes.iter_mut().enumerate() {
        *byte = (n * 7 + n / 256) as u8;
    }
    Ok(bytes)
}

/// The 32 bits of Fowler, Noll and Vo's hash 1a.
fn fnv1a(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
    })
}

fn errno(error: edu::Error) -> kernel::error::Error {
    match error {
        edu::Error::Busy => EBUSY,
        edu::Error::NotInBuffer { .. } => EINVAL,
        edu::Error::Gone | edu::Error::NoDma => ENODEV,
        edu::Error::Core(Core::Closed | Core::Gone) => ENODEV,
        _ => EIO,
    }
}
