//! What can go wrong, each with the facts that a reader of the message needs.

use core::fmt;

/// An error of this crate or of a platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The platform has no memory left for the scope.
    NoMemory,
    /// The scope is being torn down: nothing new is registered, nothing is armed.
    Closed,
    /// The caller would wait for itself: it runs inside the very callback that it asked to wait for, or holds a guard of what it revokes.
    Deadlock,
    /// A timer without a callback was started, or such work queued: its `Vacant` has not been `set`.
    Vacant,
    /// The callback of the timer or the work panicked earlier, so it is stopped for good.
    Panicked,
    /// The timer was never started, so there is no expiry to restart from or to forward.
    NeverStarted,
    /// A period of zero: the timer would never get past the present.
    ZeroPeriod,
    /// The instant asked for lies beyond the clock's range.
    TimeOverflow,
    /// An access, or a block, beyond the end of a region. All in bytes.
    OutOfBounds {
        /// Where it would begin.
        offset: usize,
        /// How wide it would be.
        width: usize,
        /// How large the region is.
        size: usize,
    },
    /// An access whose offset is not a multiple of its width, or a block's or part's not one of its alignment. Both in bytes.
    Misaligned {
        /// Where it would begin.
        offset: usize,
        /// What that would have to be a multiple of.
        width: usize,
    },
    /// An array of registers or blocks has fewer elements.
    NoSuchElement {
        /// The element that was asked for, from 0.
        index: usize,
        /// How many there are.
        count: usize,
    },
    /// The region is smaller than the register block to be mapped on it. Both in bytes.
    RegionTooSmall {
        /// What the block needs.
        needed: usize,
        /// What the region has.
        size: usize,
    },
    /// The region is mapped already; it can be mapped again when that mapping's scope has ended.
    AlreadyMapped,
    /// The device has no such BAR.
    NoSuchBar(u8),
    /// The platform cannot do what was asked.
    Unsupported,
    /// The driver has been removed, or its device has vanished; what was there is gone for good.
    Gone,
    /// The driver is not bound yet: its `probe` has not returned.
    NotBound,
    /// The scope is not one of the driver that was named.
    OtherDriver,
    /// A guard was forgotten by a thread that has ended, so what it guards can never be freed.
    Leaked,
    /// The device does not answer, or not as the device that it should be.
    NoDevice,
    /// What was waited for did not come in time.
    TimedOut,
    /// As many sleeps are pending as their sleeper has places for.
    TooManySleeps,
    /// The platform's own error number (`errno` where there is one).
    Platform(i32),
    /// The device has no such interrupt.
    NoSuchIrq(u8),
    /// A scope makes use of the device's way to memory already; it can be had again when that scope has ended.
    DmaInUse,
    /// There is no memory at addresses of so many bits; or a device has no addresses of so many: between 1 and 64.
    DmaMask(u32),
    /// Memory of no bytes was asked for.
    ZeroSize,
    /// More memory was asked for than can be told.
    TooLarge,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::NoMemory => f.write_str("no memory left for the driver's scope"),
            Error::Closed => f.write_str("the driver's scope is closing"),
            Error::Deadlock => f.write_str("this would wait for its own caller"),
            Error::Vacant => f.write_str("it has no callback yet"),
            Error::Panicked => f.write_str("its callback panicked; it stays stopped"),
            Error::NeverStarted => f.write_str("the timer was never started"),
            Error::ZeroPeriod => f.write_str("the period is zero"),
            Error::TimeOverflow => f.write_str("the instant lies beyond the clock's range"),
            Error::OutOfBounds {
                offset,
                width,
                size,
            } => write!(
                f,
                "{width:#x} bytes at offset {offset:#x} lie outside a region of {size:#x} bytes"
            ),
            Error::Misaligned { offset, width } => {
                write!(f, "offset {offset:#x} is not a multiple of {width} bytes")
            }
            Error::NoSuchElement { index, count } => {
                write!(f, "there is no element {index} in an array of {count}")
            }
            Error::RegionTooSmall { needed, size } => write!(
                f,
                "the register block needs {needed:#x} bytes, the region has {size:#x}"
            ),
            Error::AlreadyMapped => f.write_str("the region is mapped already"),
            Error::NoSuchBar(bar) => write!(f, "the device has no BAR {bar}"),
            Error::NoSuchIrq(irq) => write!(f, "the device has no interrupt {irq}"),
            Error::Unsupported => f.write_str("the platform cannot do this"),
            Error::Gone => {
                f.write_str("gone: the driver has been removed, or its device has vanished")
            }
            Error::NotBound => f.write_str("the driver is not bound yet"),
            Error::OtherDriver => f.write_str("the scope is another driver's"),
            Error::Leaked => f.write_str("a guard was forgotten; what it guards cannot be freed"),
            Error::NoDevice => f.write_str("the device does not answer as it should"),
            Error::TimedOut => f.write_str("timed out"),
            Error::TooManySleeps => f.write_str("all places of the sleeper are taken"),
            Error::Platform(code) => write!(f, "platform error {code}"),
            Error::DmaInUse => {
                f.write_str("a scope makes use of the device's way to memory already")
            }
            Error::DmaMask(bits) => {
                write!(
                    f,
                    "the device reaches no memory at addresses of {bits} bits"
                )
            }
            Error::ZeroSize => f.write_str("memory of no bytes"),
            Error::TooLarge => f.write_str("more bytes of memory than there are addresses"),
        }
    }
}

impl core::error::Error for Error {}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    use std::format;

    /// What the guide tells of an error: its name, and how it is printed.
    #[test]
    fn the_guide_has_every_error() {
        let page = include_str!("guide/errors.md");
        let mut error = Some(Error::NoMemory);
        let mut told = 0;
        while let Some(this) = error {
            let name = format!("{this:?}");
            let name = name.split([' ', '(']).next().unwrap_or_default();
            let line = format!("| `{name}` | {this} |");
            assert!(page.contains(&line), "the guide lacks {line}");
            error = next(this);
            told += 1;
        }
        assert_eq!(page.matches("\n| `").count(), told + REPORTS);
    }

    /// The lines of its other table, of what is reported.
    const REPORTS: usize = 6;

    /// The variant after this one, with the values that the guide has. (A match, so that a new variant must be put in.)
    fn next(error: Error) -> Option<Error> {
        Some(match error {
            Error::NoMemory => Error::Closed,
            Error::Closed => Error::Deadlock,
            Error::Deadlock => Error::Vacant,
            Error::Vacant => Error::Panicked,
            Error::Panicked => Error::NeverStarted,
            Error::NeverStarted => Error::ZeroPeriod,
            Error::ZeroPeriod => Error::TimeOverflow,
            Error::TimeOverflow => Error::OutOfBounds {
                offset: 0x80,
                width: 4,
                size: 0x80,
            },
            Error::OutOfBounds { .. } => Error::Misaligned {
                offset: 2,
                width: 4,
            },
            Error::Misaligned { .. } => Error::NoSuchElement { index: 9, count: 8 },
            Error::NoSuchElement { .. } => Error::RegionTooSmall {
                needed: 0x100,
                size: 0x80,
            },
            Error::RegionTooSmall { .. } => Error::AlreadyMapped,
            Error::AlreadyMapped => Error::NoSuchBar(2),
            Error::NoSuchBar(_) => Error::Unsupported,
            Error::Unsupported => Error::Gone,
            Error::Gone => Error::NotBound,
            Error::NotBound => Error::OtherDriver,
            Error::OtherDriver => Error::Leaked,
            Error::Leaked => Error::NoDevice,
            Error::NoDevice => Error::TimedOut,
            Error::TimedOut => Error::TooManySleeps,
            Error::TooManySleeps => Error::Platform(-16),
            Error::Platform(_) => Error::NoSuchIrq(1),
            Error::NoSuchIrq(_) => Error::DmaInUse,
            Error::DmaInUse => Error::DmaMask(24),
            Error::DmaMask(_) => Error::ZeroSize,
            Error::ZeroSize => Error::TooLarge,
            Error::TooLarge => return None,
        })
    }
}
