// SPDX-License-Identifier: GPL-2.0

//! The registers of QEMU's edu device, as its `docs/specs/edu` describes them. Both rivals use this file.

use kernel::{io::register, pci, prelude::*};

register! {
    /// Identification: `0xRRrr00ed`.
    pub(crate) ID(u32) @ 0x00 {
        7:0 magic;
    }

    /// Liveness check: reads back the bitwise not of what was written.
    pub(crate) LIVENESS(u32) @ 0x04 {
        31:0 value;
    }

    /// Factorial: write the argument, read the result when `STATUS` is not computing.
    pub(crate) FACTORIAL(u32) @ 0x08 {
        31:0 value;
    }

    /// What the device is doing.
    pub(crate) STATUS(u32) @ 0x20 {
        /// Raise an interrupt when a factorial is done.
        7:7 interrupt => bool;
        /// Read only: a factorial is being computed.
        0:0 computing => bool;
    }

    /// What has raised an interrupt and has not been acknowledged.
    pub(crate) INTERRUPT_STATUS(u32) @ 0x24 {
        /// A transfer is done.
        8:8 dma => bool;
        /// A factorial is done.
        0:0 factorial => bool;
    }

    /// Raises an interrupt, for these causes.
    pub(crate) INTERRUPT_RAISE(u32) @ 0x60 {
        31:0 causes;
    }

    /// Takes these causes out of `INTERRUPT_STATUS`.
    pub(crate) INTERRUPT_ACKNOWLEDGE(u32) @ 0x64 {
        31:0 causes;
    }

    /// DMA: from which bus address, or place in the device's buffer.
    pub(crate) DMA_SOURCE(u32) @ 0x80 {
        31:0 address;
    }

    /// DMA: to which.
    pub(crate) DMA_DESTINATION(u32) @ 0x88 {
        31:0 address;
    }

    /// DMA: how many bytes.
    pub(crate) DMA_COUNT(u32) @ 0x90 {
        31:0 bytes;
    }

    /// DMA: starts a transfer. One that runs cannot be stopped.
    pub(crate) DMA_COMMAND(u32) @ 0x98 {
        /// Raise an interrupt when the transfer is done.
        2:2 interrupt => bool;
        /// From the device to memory; else from memory to the device.
        1:1 to_memory => bool;
        /// Start; reads as set until the transfer is done.
        0:0 start => bool;
    }
}

/// How much of BAR 0 has registers.
pub(crate) const END: usize = 0x100;

/// BAR 0.
pub(crate) type Bar0<'a> = pci::Bar<'a, END>;

/// Where the device's buffer is in the addresses of its DMA engine.
pub(crate) const DMA_BUFFER: u32 = 0x40000;

/// The size of that buffer, in bytes.
pub(crate) const DMA_BUFFER_SIZE: usize = 4096;

/// A register that reads as all ones is not there: the device has been pulled out.
pub(crate) fn or_gone<R: Copy + Into<u32>>(value: R) -> Result<R> {
    if value.into() == !0 {
        Err(ENODEV)
    } else {
        Ok(value)
    }
}
