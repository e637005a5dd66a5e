//! What a program needs to run at all on x86-64 Linux: an entry, two system calls, and the functions that compilers call.

use core::arch::{asm, global_asm};
use core::fmt::{self, Write};
use core::panic::PanicInfo;

mod mem;

global_asm!(
    ".globl _start",
    "_start:",
    "xor ebp, ebp",
    "and rsp, -16",
    "call {start}",
    "ud2",
    start = sym start,
);

extern "C" fn start() -> ! {
    crate::run();
    exit(0)
}

/// A system call of up to three arguments.
///
/// # Safety
/// As the call has it.
unsafe fn syscall(number: usize, arguments: [usize; 3]) -> usize {
    let result;
    // SAFETY: the convention of x86-64 Linux; what the call does is the caller's promise.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") number => result,
            in("rdi") arguments[0],
            in("rsi") arguments[1],
            in("rdx") arguments[2],
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
    }
    result
}

fn exit(code: usize) -> ! {
    loop {
        // SAFETY: `exit_group` ends the program.
        unsafe { syscall(231, [code, 0, 0]) };
    }
}

/// Writes to standard error.
pub fn print(text: &str) {
    // SAFETY: `write` reads the text, which is valid.
    unsafe { syscall(1, [2, text.as_ptr().expose_provenance(), text.len()]) };
}

struct Errors;

impl Write for Errors {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        print(text);
        Ok(())
    }
}

#[panic_handler]
fn panicked(info: &PanicInfo<'_>) -> ! {
    let _ = writeln!(Errors, "no-alloc: {info}");
    exit(1)
}

/// Referred to by the unwinding tables of `core`; never called.
#[no_mangle]
extern "C" fn rust_eh_personality() {}
