//! What a program needs to run at all: the functions that compilers call, and an end.

use core::fmt;
use core::panic::PanicInfo;

#[path = "../../../../tests/no-alloc/src/sys/mem.rs"]
mod mem;

use super::{cpu, port, serial};
use crate::report::PREFIX;

/// The device that ends the machine.
const EXIT: u16 = 0xf4;

/// Ends the machine. QEMU exits with twice the code and one.
pub fn exit(code: u32) -> ! {
    // SAFETY: this is what the port is for; if the device is not there, nothing happens. [MACHINE]
    unsafe { port::write_u32(EXIT, code) };
    cpu::stop()
}

/// Ends the machine after something that must not happen, from wherever.
pub fn fail(what: fmt::Arguments<'_>) -> ! {
    let cpu = cpu::this().number();
    serial::line(format_args!(
        "{PREFIX}-CHECK alive FAILED cpu {cpu}: {what}"
    ));
    exit(BAD)
}

/// What [`exit`] takes after a good run and after a bad one.
pub const GOOD: u32 = 0x10;
/// See [`GOOD`].
pub const BAD: u32 = 0x20;

#[panic_handler]
fn panicked(info: &PanicInfo<'_>) -> ! {
    fail(format_args!("{info}"))
}

/// Referred to by the unwinding tables of `core`; never called.
// SAFETY: nothing else in the image has this name. [LOCAL]
#[no_mangle]
extern "C" fn rust_eh_personality() {}

/// As above.
// SAFETY: as above. [LOCAL]
#[no_mangle]
extern "C" fn _Unwind_Resume() -> ! {
    cpu::stop()
}
