//! Ports of the processor.

use core::arch::asm;

/// Reads a byte.
///
/// # Safety
/// What a read of this port does is harmless here.
pub unsafe fn read_u8(port: u16) -> u8 {
    let value;
    // SAFETY: the caller's promise; nothing else changes. [MACHINE, CALLER]
    unsafe { asm!("in al, dx", in("dx") port, out("al") value, options(nostack, preserves_flags)) };
    value
}

/// Writes a byte.
///
/// # Safety
/// As for [`read_u8`], of a write.
pub unsafe fn write_u8(port: u16, value: u8) {
    // SAFETY: as in `read_u8`. [MACHINE, CALLER]
    unsafe { asm!("out dx, al", in("dx") port, in("al") value, options(nostack, preserves_flags)) };
}

/// Reads four bytes.
///
/// # Safety
/// As for [`read_u8`].
pub unsafe fn read_u32(port: u16) -> u32 {
    let value;
    // SAFETY: as in `read_u8`. [MACHINE, CALLER]
    unsafe {
        asm!("in eax, dx", in("dx") port, out("eax") value, options(nostack, preserves_flags))
    };
    value
}

/// Writes four bytes.
///
/// # Safety
/// As for [`write_u8`].
pub unsafe fn write_u32(port: u16, value: u32) {
    // SAFETY: as in `read_u8`. [MACHINE, CALLER]
    unsafe {
        asm!("out dx, eax", in("dx") port, in("eax") value, options(nostack, preserves_flags))
    };
}
