//! The device's registers, as QEMU's `docs/specs/edu` describes them.

use bitflags::bitflags;
use driver_scope::{register_values, registers};

registers! {
    /// The register part of BAR 0.
    pub EduRegs: 0x100 {
        /// Identification.
        0x00 => ro ID: Id,
        /// Liveness check: reads back the bitwise not of what was written.
        0x04 => rw LIVENESS: u32,
        /// Factorial: write the argument, read the result when [`Status::COMPUTING`] is clear.
        0x08 => rw FACTORIAL: u32,
        /// What the device is doing.
        0x20 => rw STATUS: Status where !0 is gone,
    }
}

bitflags! {
    /// The status register.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Status: u32 {
        /// Read only: a factorial is being computed.
        const COMPUTING = 1 << 0;
        /// Raise an interrupt when a factorial is done.
        const INTERRUPT = 1 << 7;
    }
}

/// The identification register: `0xRRrr00ed`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Id(u32);

impl Id {
    /// Whatever it says.
    pub const fn from_bits(bits: u32) -> Self {
        Id(bits)
    }

    /// As it is in the register.
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// Whether this is an edu device.
    pub const fn is_edu(self) -> bool {
        self.0 & 0xff == 0xed
    }
}

register_values! {
    Id: u32 = from_bits, bits;
    Status: u32 = from_bits_retain, bits;
}
