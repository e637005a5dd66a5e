// SPDX-License-Identifier: GPL-2.0

//! Accesses to a register by driver-scope, for `cargo xtask linux-report` to look at their code. Part of no module.

use driver_scope::Mmio;
use driver_scope_linux::Linux;
use edu::registers::{EduRegs, FACTORIAL, STATUS};

/// A handle.
#[no_mangle]
pub fn read_scope(regs: Mmio<'_, EduRegs, Linux>) -> u32 {
    regs.read(STATUS).bits()
}

/// A handle.
#[no_mangle]
pub fn write_scope(regs: Mmio<'_, EduRegs, Linux>, value: u32) {
    regs.write(FACTORIAL, value);
}
