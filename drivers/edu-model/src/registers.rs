//! The register map of QEMU docs/specs/edu.

/// Size of BAR 0 in bytes.
pub(crate) const BAR_SIZE: u64 = 1 << 20;

/// The value of the identification register: version 1.0, `0xed` for edu.
pub(crate) const ID: u32 = 0x0100_00ed;

/// Status: a factorial is being computed.
pub(crate) const STATUS_COMPUTING: u32 = 1 << 0;
/// Status: raise an interrupt when a factorial is done.
pub(crate) const STATUS_INTERRUPT: u32 = 1 << 7;

/// Interrupt status: a factorial is done.
pub(crate) const INTERRUPT_FACTORIAL: u32 = 1 << 0;
/// Interrupt status: a DMA transfer is done.
pub(crate) const INTERRUPT_DMA: u32 = 1 << 8;

/// DMA command: start; reads as set until the transfer is done.
pub(crate) const DMA_RUN: u64 = 1 << 0;
/// DMA command: from the device's buffer to memory, not from memory to the buffer.
pub(crate) const DMA_TO_MEMORY: u64 = 1 << 1;
/// DMA command: raise an interrupt when the transfer is done.
pub(crate) const DMA_INTERRUPT: u64 = 1 << 2;

/// Where the device's buffer lies, for transfers. (No access to the BAR reaches it.)
pub(crate) const BUFFER: u64 = 0x40000;
/// Size of that buffer in bytes.
pub(crate) const BUFFER_SIZE: usize = 4096;

/// A register: 4 bytes, but for those of the DMA unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Register {
    Id,
    Liveness,
    Factorial,
    Status,
    InterruptStatus,
    InterruptRaise,
    InterruptAcknowledge,
    Dma(DmaRegister),
}

/// A register from `0x80` on: 8 bytes, of which 4 can be accessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DmaRegister {
    Source,
    Destination,
    Count,
    Command,
}

impl Register {
    /// The register that an aligned access of `width` bytes (4 or 8) at `offset` is for.
    pub(crate) fn at(offset: u64, width: u8) -> Option<Self> {
        if offset < 0x80 && width != 4 {
            return None;
        }
        Some(match offset {
            0x00 => Self::Id,
            0x04 => Self::Liveness,
            0x08 => Self::Factorial,
            0x20 => Self::Status,
            0x24 => Self::InterruptStatus,
            0x60 => Self::InterruptRaise,
            0x64 => Self::InterruptAcknowledge,
            0x80 => Self::Dma(DmaRegister::Source),
            0x88 => Self::Dma(DmaRegister::Destination),
            0x90 => Self::Dma(DmaRegister::Count),
            0x98 => Self::Dma(DmaRegister::Command),
            _ => return None,
        })
    }
}
