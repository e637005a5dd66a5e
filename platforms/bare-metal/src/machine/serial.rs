//! The first serial port: what is printed comes out of QEMU.

use core::fmt::{self, Write};
use core::sync::atomic::{AtomicBool, Ordering};

use super::cpu;
use super::port;

const PORT: u16 = 0x3f8;
const STATUS: u16 = PORT + 5;
const EMPTY: u8 = 1 << 5;

/// Whoever prints a line, prints the whole line.
static PRINTING: AtomicBool = AtomicBool::new(false);

struct Out;

impl Write for Out {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            // SAFETY: the status changes by no read, and the port takes a byte when it says so. The firmware has set it up. [MACHINE]
            unsafe {
                while port::read_u8(STATUS) & EMPTY == 0 {
                    core::hint::spin_loop();
                }
                port::write_u8(PORT, byte);
            }
        }
        Ok(())
    }
}

/// Prints a line.
pub fn line(text: fmt::Arguments<'_>) {
    cpu::mask();
    // Acquire, and the Release below: nothing is handed on but the order of the lines. Whoever has held it for that long is gone, by an exception
    // in its middle: this one is the word on that.
    let mut patience = 100_000_000_u32;
    while PRINTING.swap(true, Ordering::Acquire) && patience > 0 {
        core::hint::spin_loop();
        patience -= 1;
    }
    // It cannot fail.
    let _ = writeln!(Out, "{text}");
    PRINTING.store(false, Ordering::Release);
    cpu::unmask();
}
