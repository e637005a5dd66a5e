//! The device's registers, as QEMU's `docs/specs/edu` describes them. All are 32 bits wide.

use driver_scope::{Reg, Registers};

/// The register part of BAR 0.
pub enum EduRegs {}

impl Registers for EduRegs {
    const SIZE: usize = 0x80;
}

/// Identification, read only: `0xRRrr00ed`, with the major and the minor version.
pub const ID: Reg<EduRegs, u32> = Reg::at(0x00);
/// Liveness check: reads back the bitwise not of what was written.
pub const LIVENESS: Reg<EduRegs, u32> = Reg::at(0x04);
/// Factorial: write the argument, read the result when [`COMPUTING`] is clear.
pub const FACTORIAL: Reg<EduRegs, u32> = Reg::at(0x08);
/// Status: [`COMPUTING`], and in bit 7 whether to raise an interrupt when a factorial is done.
pub const STATUS: Reg<EduRegs, u32> = Reg::at(0x20);

/// In [`STATUS`], read only: a factorial is being computed.
pub const COMPUTING: u32 = 1 << 0;

/// What the low byte of [`ID`] reads.
pub const EDU: u32 = 0xed;
