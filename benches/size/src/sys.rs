//! What a program needs to run on x86-64 Linux: an entry, an exit, and the functions that compilers call. A panic says nothing, as where flash is scarce.

use core::arch::{asm, global_asm};
use core::panic::PanicInfo;

#[path = "../../../tests/no-alloc/src/sys/mem.rs"]
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

unsafe extern "Rust" {
    /// The program, by `program!`.
    safe fn program() -> bool;
}

extern "C" fn start() -> ! {
    exit(usize::from(!program()))
}

fn exit(code: usize) -> ! {
    loop {
        // SAFETY: `exit_group` ends the program.
        unsafe { asm!("syscall", in("rax") 231, in("rdi") code, options(nostack)) };
    }
}

#[panic_handler]
fn panicked(_info: &PanicInfo<'_>) -> ! {
    exit(101)
}

/// Referred to by the unwinding tables of `core`; never called.
#[no_mangle]
extern "C" fn rust_eh_personality() {}
