//! A software model of QEMU's `edu` teaching device.
//!
//! A driver for `edu` runs against [`EduModel`] with neither hardware nor QEMU. The model has no
//! thread: what the device does by itself (finishing a computation or a transfer) is a function of
//! the clock it is given, so it is right under real and under virtual time. [`EduModel::interrupts`]
//! looks at it when it is due, and delivers its interrupts to a line of a hosted platform.
//!
//! # Registers
//!
//! From QEMU docs/specs/edu; all little-endian in BAR 0, which is 1 MiB. Below `0x80` only aligned
//! 4-byte accesses reach a register, from `0x80` on aligned 4-byte and 8-byte ones.
//!
//! | offset | access | register |
//! | --- | --- | --- |
//! | `0x00` | RO | identification, `0x010000ed` |
//! | `0x04` | RW | liveness: reads back the bitwise not of what was written |
//! | `0x08` | RW | factorial: takes `n`, later holds `n!` modulo 2³² |
//! | `0x20` | RW | status: bit 0 computing (RO), bit 7 interrupt when a factorial is done |
//! | `0x24` | RO | interrupt status |
//! | `0x60` | WO | interrupt raise: its bits are set in the interrupt status |
//! | `0x64` | WO | interrupt acknowledge: its bits are cleared in the interrupt status |
//! | `0x80` | RW | DMA source address |
//! | `0x88` | RW | DMA destination address |
//! | `0x90` | RW | DMA transfer count, bytes |
//! | `0x98` | RW | DMA command: bit 0 run, bit 1 direction, bit 2 interrupt `0x100` when done |
//!
//! A transfer is between memory and the device's buffer of 4096 bytes, which has the addresses from
//! `0x40000` on: to it (direction 0, the destination is in the buffer) or from it (direction 1, the
//! source is). Of the address of memory only 28 bits count ([`EduConfig::dma_mask`]).
//!
//! # What the documentation leaves open
//!
//! Each of these was observed on QEMU 10.0.2, x86-64 under TCG, and has a test here:
//!
//! - An aligned access of a legal width where no register answers (an unknown offset, a write-only
//!   register, an 8-byte one below `0x80`) reads as all ones of its width; a write there is ignored.
//! - A 1-byte or 2-byte access never gets to the device: it reads as **zero**, a write is ignored.
//! - An 8-byte access at an odd multiple of 4 arrives as two 4-byte ones, lower address first. Any
//!   less aligned access arrives in pieces of 1 and 2 bytes, so it reads as zero or is ignored.
//!   (Not by TCG but by QEMU's other way in, which KVM takes as well, an 8-byte access at an odd
//!   multiple of 2 or less has one aligned 4-byte piece, which does get to the device.)
//! - While a factorial is computed its register reads back `n`, and writes to it are ignored.
//! - Bit 7 of the status counts at the end of the computation: set meanwhile, it has effect; set
//!   afterwards, it raises nothing.
//! - A 4-byte access at a DMA register reads its low half, and writes it with a zero upper half; the
//!   upper half has no 4-byte address of its own.
//! - A write to the DMA command without bit 0 is ignored, so the command cannot be cleared; all 64
//!   bits of a start are kept, and at the end only bit 0 clears. While it runs, writes to all four
//!   DMA registers are ignored.
//!
//! # What differs from QEMU
//!
//! - A transfer moves bytes only if the model has been given memory ([`EduModel::with_memory`],
//!   `EduModel::with_dma`). Without, the registers, the delay, the run bit and the interrupt are there.
//! - A transfer that would leave the device's buffer moves nothing, and ends like any other. QEMU ended
//!   the whole machine then (`hw_error`); newer ones note it and go on beyond the buffer.
//! - A transfer whose memory is not there reads as what the memory says it does, with
//!   [`DmaSpace`](driver_scope::platform::DmaSpace) all ones; or writes nothing. Both are counted.
//! - The bytes are moved when the transfer ends, or at the next look at the device after that, all at
//!   once: until then a driver may still change what is read, as in QEMU.
//! - Result, status and interrupt of a computation change in one instant. QEMU makes the result
//!   visible first, then clears the status bit, then raises the interrupt, each under another lock:
//!   there a driver that polls can see the device idle before the interrupt comes.
//! - A factorial takes the same time for every `n`; in QEMU it takes `n` multiplications.
//! - A removed device reads as all ones, as on PCI Express hardware; QEMU reads as zero.

#![forbid(unsafe_code)]
#![deny(missing_docs)]
// Without the hosted platforms there is nobody to tell of interrupts.
#![cfg_attr(loom, allow(dead_code))]

mod access;
mod config;
mod counts;
mod dma;
mod factorial;
mod interrupts;
#[cfg(not(loom))]
mod lines;
mod memory;
mod model;
// The hosted platforms, and so the trait, are not part of a build for loom.
#[cfg(not(loom))]
mod platform;
mod registers;
mod state;
#[cfg(test)]
mod tests;

pub use config::EduConfig;
pub use counts::{AccessCounts, TransferCounts};
#[cfg(not(loom))]
pub use lines::{Delivery, Interrupts};
pub use memory::Memory;
pub use model::EduModel;
