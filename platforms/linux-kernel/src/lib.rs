// SPDX-License-Identifier: GPL-2.0

//! driver-scope inside Linux: its timers, interrupts, work queues, memory and PCI devices as a platform, for modules.
//!
//! A driver is a crate that knows nothing of Linux. Its module file is a [`pci_module!`], and contains no `unsafe`: all of it that a driver takes on Linux
//! is here.

#![no_std]
#![deny(
    missing_docs,
    unsafe_op_in_unsafe_fn,
    clippy::undocumented_unsafe_blocks
)]

mod alive;
mod bus;
mod context;
mod device;
mod dma;
mod file;
mod irqs;
mod lock;
mod module;
pub mod pci;
mod platform;
mod queue;
mod sections;
mod time;
mod timers;
mod waiting;

pub use file::{DeviceFile, NoFile};
pub use platform::Linux;

/// What the kernel's log has before lines of this crate.
const __LOG_PREFIX: &[u8] = b"driver_scope\0";
