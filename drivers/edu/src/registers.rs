//! The device's registers, as QEMU's `docs/specs/edu` describes them.

use bitflags::bitflags;
use driver_scope::{register_values, registers};

registers! {
    /// BAR 0, as far as there are registers in it. (It covers 1 MiB.) All are accessed with 32 bits; those of the
    /// DMA engine could be with 64 as well, but its addresses have 28 (unless the device was made with another `dma_mask`).
    pub EduRegs: 0x100 {
        /// Identification.
        0x00 => ro ID: Id where !0 is gone,
        /// Liveness check: reads back the bitwise not of what was written.
        0x04 => rw LIVENESS: u32,
        /// Factorial: write the argument, read the result when [`Status::COMPUTING`] is clear.
        0x08 => rw FACTORIAL: u32,
        /// What the device is doing.
        0x20 => rw STATUS: Status where !0 is gone,
        /// What has raised an interrupt and has not been acknowledged.
        0x24 => ro INTERRUPT_STATUS: Causes where !0 is gone,
        /// Raises an interrupt, for these causes.
        0x60 => wo INTERRUPT_RAISE: Causes,
        /// Takes these causes out of [`INTERRUPT_STATUS`]; to be written by the interrupt's handler.
        0x64 => wo INTERRUPT_ACKNOWLEDGE: Causes,
        /// DMA: from which bus address, or place in the device's buffer.
        0x80 => rw DMA_SOURCE: u32,
        /// DMA: to which.
        0x88 => rw DMA_DESTINATION: u32,
        /// DMA: how many bytes.
        0x90 => rw DMA_COUNT: u32,
        /// DMA: starts a transfer. One that runs cannot be stopped: until it is done, no register of the engine can be written.
        0x98 => rw DMA_COMMAND: DmaCommand where !0 is gone,
    }
}

/// Where the device's buffer is in the addresses of its DMA engine. It is not mapped.
pub const DMA_BUFFER: u32 = 0x40000;
/// The size of that buffer, in bytes.
pub const DMA_BUFFER_SIZE: u32 = 4096;

bitflags! {
    /// The status register.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Status: u32 {
        /// Read only: a factorial is being computed.
        const COMPUTING = 1 << 0;
        /// Raise an interrupt when a factorial is done.
        const INTERRUPT = 1 << 7;
    }

    /// Causes of an interrupt. Any other bit may be raised by hand.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Causes: u32 {
        /// A factorial is done.
        const FACTORIAL = 1 << 0;
        /// A transfer is done.
        const DMA = 1 << 8;
    }

    /// The command register of the DMA engine.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct DmaCommand: u32 {
        /// Start; reads as set until the transfer is done.
        const START = 1 << 0;
        /// From the device to memory; else from memory to the device.
        const TO_MEMORY = 1 << 1;
        /// Raise an interrupt when the transfer is done.
        const INTERRUPT = 1 << 2;
    }
}

/// The identification register: `0xRRrr00ed`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Id(u32);

impl Id {
    /// As it is in the register.
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

    /// The version of the device: major and minor.
    pub const fn version(self) -> (u8, u8) {
        ((self.0 >> 24) as u8, (self.0 >> 16) as u8)
    }
}

register_values! {
    Id: u32 = from_bits, bits;
    Status: u32 = from_bits_retain, bits;
    Causes: u32 = from_bits_retain, bits;
    DmaCommand: u32 = from_bits_retain, bits;
}
