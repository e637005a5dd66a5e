// SPDX-License-Identifier: GPL-2.0

//! Accesses to a register, for `cargo xtask linux-report` to look at their code. Part of no module.

use kernel::{io::Io, pci};

#[expect(dead_code)]
mod registers;

use registers::*;

/// A BAR that is borrowed.
#[no_mangle]
pub fn read_bound(bar: &Bar0<'_>) -> u32 {
    bar.read(STATUS).into_raw()
}

/// A BAR that is borrowed.
#[no_mangle]
pub fn write_bound(bar: &Bar0<'_>, value: u32) {
    bar.write_reg(FACTORIAL::from(value));
}

/// A BAR that may have been revoked.
#[no_mangle]
pub fn read_devres(bar: &pci::DevresBar<END>) -> Option<u32> {
    Some(bar.try_access()?.read(STATUS).into_raw())
}

/// A BAR that may have been revoked.
#[no_mangle]
pub fn write_devres(bar: &pci::DevresBar<END>, value: u32) -> bool {
    let Some(bar) = bar.try_access() else {
        return false;
    };
    bar.write_reg(FACTORIAL::from(value));
    true
}
