//! What becomes of a CPU access on its way to the device.

use crate::registers::BAR_SIZE;

/// The form in which a CPU access reaches the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// As it is: aligned, 4 or 8 bytes.
    Whole,
    /// As two aligned 4-byte accesses, lower address first.
    Halves,
    /// Not at all: 1 or 2 bytes, or so aligned that it is cut into such pieces, or not in the BAR.
    Never,
}

impl Arrival {
    /// The form in which an access of `width` bytes at `offset` arrives.
    pub(crate) fn of(offset: u64, width: u8) -> Self {
        let inside = offset
            .checked_add(u64::from(width))
            .is_some_and(|end| end <= BAR_SIZE);
        match (width, offset % 8) {
            _ if !inside => Self::Never,
            (4, 0 | 4) | (8, 0) => Self::Whole,
            (8, 4) => Self::Halves,
            _ => Self::Never,
        }
    }
}

/// The low `width` bytes of `value`.
pub(crate) fn truncate(value: u64, width: u8) -> u64 {
    match width {
        0 => 0,
        1..=7 => value & ((1 << (8 * u32::from(width))) - 1),
        _ => value,
    }
}
