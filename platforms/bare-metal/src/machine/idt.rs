//! What happens at an interrupt or an exception.

use core::arch::{asm, global_asm};
use core::fmt;

use super::cpu::{self, Pointer};
use super::runtime;
use super::{apic, lock::Spin};
use crate::platform;

/// The entry of each vector is so many bytes after the one before.
const SPACING: usize = 16;

/// Exceptions are below.
const FIRST_INTERRUPT: usize = 32;

// SAFETY: keeps all registers that a handler may change, and calls `interrupt` with what the processor has put on the stack. [MACHINE]
global_asm!(
    ".balign 16",
    ".globl interrupt_entries",
    "interrupt_entries:",
    ".set vector, 0",
    ".rept 256",
    ".balign {spacing}",
    // A zero where the processor pushes no code of an error.
    ".if (vector != 8) && ((vector < 10) || (vector > 14)) && (vector != 17) && (vector != 21) && (vector != 29) && (vector != 30)",
    "push 0",
    ".endif",
    "push vector",
    "jmp interrupt_common",
    ".set vector, vector + 1",
    ".endr",
    ".balign 16",
    "interrupt_common:",
    "push rax",
    "push rcx",
    "push rdx",
    "push rsi",
    "push rdi",
    "push r8",
    "push r9",
    "push r10",
    "push r11",
    "push rbp",
    "mov rbp, rsp",
    "lea rdi, [rsp + 80]",
    "sub rsp, 512",
    "and rsp, -16",
    "fxsave64 [rsp]",
    "cld",
    "call {handler}",
    "fxrstor64 [rsp]",
    "mov rsp, rbp",
    "pop rbp",
    "pop r11",
    "pop r10",
    "pop r9",
    "pop r8",
    "pop rdi",
    "pop rsi",
    "pop rdx",
    "pop rcx",
    "pop rax",
    "add rsp, 16",
    "iretq",
    spacing = const SPACING,
    handler = sym interrupt,
);

// SAFETY: a label of the assembly above, and a byte. [LOCAL]
extern "C" {
    #[link_name = "interrupt_entries"]
    static ENTRIES: u8;
}

/// What is on the stack when the handler runs.
#[repr(C)]
struct Frame {
    vector: u64,
    error: u64,
    rip: u64,
    cs: u64,
    flags: u64,
    rsp: u64,
    ss: u64,
}

#[derive(Clone, Copy)]
#[repr(C)]
struct Gate([u64; 2]);

#[repr(C, align(16))]
struct Table([Gate; 256]);

static IDT: Spin<Table> = Spin::new(Table([Gate([0; 2]); 256]));

/// Fills the table. Once, before [`load`].
pub fn set_up() {
    IDT.with(|table| {
        let entries = (&raw const ENTRIES).expose_provenance();
        for (vector, gate) in table.0.iter_mut().enumerate() {
            let entry = (entries + vector * SPACING) as u64;
            let stack = if vector < FIRST_INTERRUPT {
                cpu::EXCEPTION_STACK
            } else {
                cpu::INTERRUPT_STACK
            };
            // Present, an interrupt gate: masks interrupts. Segment 8.
            *gate = Gate([
                entry & 0xffff
                    | 8 << 16
                    | u64::from(stack) << 32
                    | 0x8e << 40
                    | (entry >> 16 & 0xffff) << 48,
                entry >> 32,
            ]);
        }
    });
}

/// Has this processor use the table.
///
/// # Safety
/// After [`set_up`], and [`cpu::set_up`] on this processor.
pub unsafe fn load() {
    let table = IDT.with(|table| Pointer::to(table));
    // SAFETY: a static, filled, says the caller, and not written any more; the stacks and the segment of the gates are there. [MACHINE, CALLER]
    unsafe {
        asm!("lidt [{}]", in(reg) &raw const table, options(readonly, nostack, preserves_flags))
    };
}

/// Every interrupt and exception, with interrupts masked.
extern "C" fn interrupt(frame: &Frame) {
    match frame.vector as usize {
        0..FIRST_INTERRUPT => runtime::fail(format_args!("{frame}")),
        apic::SPURIOUS => {}
        vector => {
            platform::interrupt(vector);
            apic::end_of_interrupt();
        }
    }
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address: u64;
        // SAFETY: reads the address of the last page fault. [MACHINE]
        unsafe { asm!("mov {}, cr2", out(reg) address, options(nostack, nomem, preserves_flags)) };
        let Frame {
            vector,
            error,
            rip,
            rsp,
            ..
        } = self;
        write!(
            f,
            "exception {vector} error {error:#x} rip {rip:#x} rsp {rsp:#x} cr2 {address:#x}"
        )
    }
}
