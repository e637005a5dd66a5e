//! The configuration space of a PCI device, by a file.
//!
//! Offsets and bits are those of the PCI Local Bus Specification 3.0, 6.2.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use crate::interrupts::Level;

/// The command register.
pub const COMMAND: u64 = 0x04;
/// Command: it answers at its memory BARs.
pub const COMMAND_MEMORY: u16 = 1 << 1;
/// Command: it reads and writes memory by itself. (A message of an interrupt is such a write, too.)
pub const COMMAND_MASTER: u16 = 1 << 2;
/// Command: it does not raise INTx.
pub const COMMAND_INTX_DISABLE: u16 = 1 << 10;
/// The status register.
pub const STATUS: u64 = 0x06;
/// Status: it has an interrupt to raise by INTx, whether it may or not.
pub const STATUS_INTERRUPT: u16 = 1 << 3;

/// A configuration space.
pub struct Config {
    file: File,
    base: u64,
}

impl Config {
    /// That which begins so far into a file.
    #[must_use]
    pub fn new(file: File, base: u64) -> Self {
        Config { file, base }
    }

    /// Reads a register.
    ///
    /// # Errors
    /// The kernel's.
    pub fn read(&self, offset: u64) -> io::Result<u16> {
        let mut value = [0; 2];
        self.file.read_exact_at(&mut value, self.base + offset)?;
        Ok(u16::from_le_bytes(value))
    }

    /// Sets bits of the command register, or clears them. For one thread at a time.
    ///
    /// # Errors
    /// The kernel's.
    pub fn command(&self, bits: u16, set: bool) -> io::Result<()> {
        let old = self.read(COMMAND)?;
        let new = if set { old | bits } else { old & !bits };
        let at = self.base + COMMAND;
        self.file.write_all_at(&new.to_le_bytes(), at)
    }
}

/// The kernel masks INTx by the bit in the command register, and so it is unmasked.
impl Level for Config {
    fn is_asserted(&mut self) -> io::Result<bool> {
        Ok(self.read(STATUS)? & STATUS_INTERRUPT != 0)
    }

    fn unmask(&mut self) -> io::Result<()> {
        self.command(COMMAND_INTX_DISABLE, false)
    }
}
