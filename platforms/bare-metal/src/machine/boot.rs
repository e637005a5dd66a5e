//! From what the firmware leaves to Rust, for the first processor and the second.
//!
//! The first begins in 32-bit mode, as the PVH boot protocol has it; the second in 16-bit mode, on a page below 1 MiB. Both go on with the same
//! steps: page tables, long mode, a stack, Rust.
//!
//! Memory is mapped where it is. The first 2 GiB are ordinary memory (there are 128 MiB of it), the two above, where devices
//! are, are not cached. The first page is not mapped.

use core::arch::global_asm;
use core::ptr::{self, NonNull};

/// Where the second processor begins: a page that neither the firmware's tables nor the image use.
pub const TRAMPOLINE: u32 = 0x8000;

/// The addresses at which devices are, and nothing is cached.
pub const DEVICES: core::ops::Range<u64> = 0x8000_0000..0x1_0000_0000;

const STACK: usize = 64 << 10;

// SAFETY: what runs before there is a stack, then on the stacks below, by the processor's own manual: page tables, 64-bit mode, and on to the two functions
// in `main.rs`, which do not return. [MACHINE]
global_asm!(
    // Tells a PVH loader where to begin.
    ".section .note.pvh, \"a\", @note",
    ".long 4, 4, 18",
    ".asciz \"Xen\"",
    ".long pvh_entry",

    ".section .text.boot, \"ax\", @progbits",
    ".code32",
    ".globl pvh_entry",
    "pvh_entry:",
    "cli",
    "cld",
    // The tables, in memory that is zero: one entry for 512 GiB, four for 1 GiB each, 2048 for 2 MiB each.
    "movl $(page_directories + 3), %eax",
    "movl $pdpt, %edi",
    "movl $4, %ecx",
    "2: movl %eax, (%edi)",
    "addl $4096, %eax",
    "addl $8, %edi",
    "loop 2b",
    // Present, writable, large; from 2 GiB on not cached.
    "movl $0x83, %eax",
    "movl $page_directories, %edi",
    "movl $2048, %ecx",
    "3: cmpl $1024, %ecx",
    "jne 4f",
    "orl $0x18, %eax",
    "4: movl %eax, (%edi)",
    "addl $0x200000, %eax",
    "addl $8, %edi",
    "loop 3b",
    // The first 2 MiB by pages, but for the very first.
    "movl $(first_pages + 3), page_directories",
    "movl $0x1003, %eax",
    "movl $(first_pages + 8), %edi",
    "movl $511, %ecx",
    "5: movl %eax, (%edi)",
    "addl $4096, %eax",
    "addl $8, %edi",
    "loop 5b",
    "movl $(pdpt + 3), pml4",
    "movl $first_in_rust, %esi",
    "movl $(first_stack + {stack}), %edi",

    // With an entry in esi and a stack in edi.
    "to_long_mode:",
    // SSE, and large addresses.
    "movl %cr4, %eax",
    "orl $0x620, %eax",
    "movl %eax, %cr4",
    "movl $pml4, %eax",
    "movl %eax, %cr3",
    "movl $0xc0000080, %ecx",
    "rdmsr",
    "orl $0x100, %eax",
    "wrmsr",
    // Paging, write protection, protected mode; the FPU is there and nobody emulates it.
    "movl %cr0, %eax",
    "andl $0xfffffff3, %eax",
    "orl $0x80010003, %eax",
    "movl %eax, %cr0",
    "lgdt boot_gdt_pointer",
    "ljmp $0x08, $long_mode",
    ".code64",
    "long_mode:",
    "movl $0x10, %eax",
    "movl %eax, %ds",
    "movl %eax, %es",
    "movl %eax, %ss",
    "xorl %eax, %eax",
    "movl %eax, %fs",
    "movl %eax, %gs",
    "movl %edi, %esp",
    "movl %esi, %esi",
    "xorl %ebp, %ebp",
    "call *%rsi",
    "ud2",

    // The second processor, in protected mode with the flat segments of `boot_gdt`.
    ".code32",
    "second_protected:",
    "movl $0x10, %eax",
    "movl %eax, %ds",
    "movl %eax, %es",
    "movl %eax, %ss",
    "movl $second_in_rust, %esi",
    "movl $(second_stack + {stack}), %edi",
    "jmp to_long_mode",

    // Copied to TRAMPOLINE.
    ".section .rodata.boot, \"a\", @progbits",
    ".code16",
    ".globl trampoline",
    "trampoline:",
    "cli",
    "xorw %ax, %ax",
    "movw %ax, %ds",
    "lgdtl ({trampoline} + trampoline_gdt - trampoline)",
    "movl %cr0, %eax",
    "orl $1, %eax",
    "movl %eax, %cr0",
    "ljmpl $0x18, $second_protected",
    ".balign 4",
    "trampoline_gdt:",
    ".word boot_gdt_end - boot_gdt - 1",
    ".long boot_gdt",
    ".globl trampoline_end",
    "trampoline_end:",
    ".code64",

    ".balign 8",
    "boot_gdt:",
    // Nothing; 64-bit code; data; 32-bit code.
    ".quad 0, 0x00af9b000000ffff, 0x00cf93000000ffff, 0x00cf9b000000ffff",
    "boot_gdt_end:",
    "boot_gdt_pointer:",
    ".word boot_gdt_end - boot_gdt - 1",
    ".long boot_gdt",

    ".section .bss.boot, \"aw\", @nobits",
    ".balign 4096",
    "pml4: .skip 4096",
    "pdpt: .skip 4096",
    "page_directories: .skip 4 * 4096",
    "first_pages: .skip 4096",
    "first_stack: .skip {stack}",
    "second_stack: .skip {stack}",
    ".text",
    stack = const STACK,
    trampoline = const TRAMPOLINE,
    options(att_syntax)
);

// SAFETY: both are labels of the assembly above, and bytes. [LOCAL]
extern "C" {
    static trampoline: u8;
    static trampoline_end: u8;
}

/// Puts the code for the second processor where that will begin.
pub fn place_trampoline() {
    let to: NonNull<u8> = address(u64::from(TRAMPOLINE));
    // SAFETY: the two are the ends of what the assembler put between them; the page is nobody's, and mapped. [MACHINE]
    unsafe {
        let from = &raw const trampoline;
        let len = (&raw const trampoline_end).addr() - from.addr();
        ptr::copy_nonoverlapping(from, to.as_ptr(), len);
    }
}

/// A pointer to an address: memory is mapped where it is.
///
/// # Panics
/// For the first page, which is not mapped.
#[must_use]
pub fn address<T>(address: u64) -> NonNull<T> {
    assert!(address >= 0x1000, "the first page is not mapped");
    // 64 bits fit.
    let pointer = ptr::with_exposed_provenance_mut(address as usize);
    match NonNull::new(pointer) {
        Some(pointer) => pointer,
        None => unreachable!("not zero"),
    }
}
