// SPDX-License-Identifier: GPL-2.0

//! The driver of `drivers/edu`, which knows nothing of Linux, as a module.

#![forbid(unsafe_code)]

mod commands;

driver_scope_linux::pci_module! {
    driver: edu::Edu,
    ids: [edu::PCI_ID],
    file: commands::Commands,
    name: "edu",
    authors: ["The driver-scope developers"],
    description: "QEMU's edu device, by driver-scope",
    license: "Dual MIT/GPL",
}
