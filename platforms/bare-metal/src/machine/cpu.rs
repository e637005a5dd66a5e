//! A processor: which one it is, what it is in the middle of, and its tables.

use core::arch::asm;
use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};

/// How many processors there are.
pub const CPUS: usize = 2;

/// The size of the stacks for interrupts and for exceptions.
const STACK: usize = 32 << 10;

/// Which stack of its own an interrupt has, by the interrupt stack table. (Rust for this target keeps data below the stack pointer, so no handler may use
/// the stack that it meets.) Interrupts do not nest: all handlers run with interrupts masked.
pub const INTERRUPT_STACK: u8 = 1;
/// The same for exceptions, which may come in a handler. There is no way back from one.
pub const EXCEPTION_STACK: u8 = 2;

/// What is to be known of a processor. Its own business: atomics, and relaxed ones, only because it is interrupted.
pub struct Cpu {
    number: usize,
    /// How many callbacks it is inside of: two at most, a handler in work, since interrupts do not nest.
    depth: AtomicUsize,
    /// How often interrupts were masked, and whether they are to be enabled when that is over.
    masked: AtomicUsize,
    enable: AtomicBool,
    /// When it wants to be woken, in nanoseconds.
    pub wake: AtomicU64,
    tables: UnsafeCell<Tables>,
}

// SAFETY: `tables` are touched by the processor itself, once, before anything else of it runs; then only read, by the hardware. [SHARED]
unsafe impl Sync for Cpu {}

static ALL: [Cpu; CPUS] = [Cpu::new(0), Cpu::new(1)];

/// What the hardware wants to find in memory.
#[repr(C, align(16))]
struct Tables {
    gdt: [u64; 5],
    _align: u64,
    /// The task state segment: nothing but stacks. In words of 32 bits, since its fields are not aligned to more.
    tss: [u32; 26],
    interrupts: [u8; STACK],
    exceptions: [u8; STACK],
}

impl Cpu {
    const fn new(number: usize) -> Self {
        Cpu {
            number,
            depth: AtomicUsize::new(0),
            masked: AtomicUsize::new(0),
            enable: AtomicBool::new(false),
            wake: AtomicU64::new(u64::MAX),
            tables: UnsafeCell::new(Tables {
                gdt: [0, 0x00af_9b00_0000_ffff, 0x00cf_9300_0000_ffff, 0, 0],
                _align: 0,
                tss: [0; 26],
                interrupts: [0; STACK],
                exceptions: [0; STACK],
            }),
        }
    }

    /// From 0. Also the id of its interrupt controller, on this machine.
    #[inline(always)]
    pub fn number(&self) -> usize {
        self.number
    }

    /// How many callbacks it is inside of. For the processor itself.
    #[inline(always)]
    pub fn depth(&self) -> usize {
        self.depth.load(Relaxed)
    }
}

/// The processor that runs this. Code stays on its processor.
#[inline(always)]
pub fn this() -> &'static Cpu {
    let number: usize;
    // SAFETY: `set_up` has pointed GS to a `Cpu` of `ALL`, whose field this is; it is never written. [MACHINE]
    unsafe {
        asm!("mov {}, gs:[{}]", out(reg) number, const core::mem::offset_of!(Cpu, number),
            options(pure, nomem, nostack, preserves_flags));
    }
    &ALL[number]
}

/// Gives the processor its tables.
///
/// # Safety
/// Called once on each processor, with its number, as the first of all, with interrupts disabled.
pub unsafe fn set_up(number: usize) {
    let cpu = &ALL[number];
    let tables = cpu.tables.get();
    // SAFETY: ours alone: see `Cpu`. The descriptor of the task state segment has its address and size; the segments are those that are
    // in use already. GS then has the address of what `this` reads. [MACHINE]
    unsafe {
        let tss = (&raw mut (*tables).tss).expose_provenance() as u64;
        let top = |stack: *mut [u8; STACK]| stack.expose_provenance() as u64 + STACK as u64;
        for (ist, top) in [
            (INTERRUPT_STACK, top(&raw mut (*tables).interrupts)),
            (EXCEPTION_STACK, top(&raw mut (*tables).exceptions)),
        ] {
            // The table of stacks begins at byte 36, with that of number 1.
            let word = 9 + (usize::from(ist) - 1) * 2;
            (*tables).tss[word] = top as u32;
            (*tables).tss[word + 1] = (top >> 32) as u32;
        }
        // No map of ports.
        (*tables).tss[25] = 104 << 16;
        (*tables).gdt[3] = 103 | (tss & 0x00ff_ffff) << 16 | 0x89 << 40 | (tss >> 24 & 0xff) << 56;
        (*tables).gdt[4] = tss >> 32;
        let gdt = Pointer::to(&raw const (*tables).gdt);
        asm!("lgdt [{}]", "ltr {:x}", in(reg) &raw const gdt, in(reg) 0x18, options(readonly, nostack, preserves_flags));
        const GS_BASE: u32 = 0xc000_0101;
        write_msr(GS_BASE, core::ptr::from_ref(cpu).expose_provenance() as u64);
    }
}

/// What `lgdt` and `lidt` take.
#[repr(C, packed)]
pub struct Pointer {
    limit: u16,
    address: u64,
}

impl Pointer {
    /// To a table.
    pub fn to<T>(table: *const T) -> Self {
        Pointer {
            limit: (size_of::<T>() - 1) as u16,
            address: table.expose_provenance() as u64,
        }
    }
}

/// Writes a model-specific register.
///
/// # Safety
/// What that does is in order.
unsafe fn write_msr(register: u32, value: u64) {
    // SAFETY: the caller's promise. [CALLER]
    unsafe {
        asm!("wrmsr", in("ecx") register, in("eax") value as u32, in("edx") (value >> 32) as u32,
            options(nostack, preserves_flags));
    }
}

/// Masks interrupts on this processor until [`unmask`] was called as often, in whatever order the callers end.
#[inline]
pub fn mask() {
    let flags: u64;
    // SAFETY: interrupts may be masked anywhere. As the compiler knows nothing of what is in it, it moves no access over it. [MACHINE]
    unsafe { asm!("pushfq", "pop {}", "cli", out(reg) flags) };
    let cpu = this();
    let masked = cpu.masked.load(Relaxed);
    if masked == 0 {
        const INTERRUPTS: u64 = 1 << 9;
        cpu.enable.store(flags & INTERRUPTS != 0, Relaxed);
    }
    cpu.masked.store(masked + 1, Relaxed);
}

/// Undoes one [`mask`].
#[inline]
pub fn unmask() {
    let cpu = this();
    let masked = cpu.masked.load(Relaxed) - 1;
    cpu.masked.store(masked, Relaxed);
    if masked == 0 && cpu.enable.load(Relaxed) {
        enable();
    }
}

/// Takes interrupts from here on.
pub fn enable() {
    // SAFETY: the tables are set up before anybody calls this, and handlers keep to stacks of their own. [MACHINE]
    unsafe { asm!("sti") };
}

/// Whether interrupts are masked, by [`mask`] or since this is a handler.
pub fn is_masked() -> bool {
    let flags: u64;
    // SAFETY: reads the flags. [MACHINE]
    unsafe { asm!("pushfq", "pop {}", out(reg) flags, options(preserves_flags)) };
    flags & 1 << 9 == 0
}

/// Runs `f` as a callback: another context than what it interrupts, or than the worker that calls it.
pub fn callback<R>(f: impl FnOnce() -> R) -> R {
    let depth = &this().depth;
    depth.store(depth.load(Relaxed) + 1, Relaxed);
    let result = f();
    depth.store(depth.load(Relaxed) - 1, Relaxed);
    result
}

/// Waits for an interrupt, unless `stay` says that there is none to wait for. None that comes after that look is missed.
pub fn wait_unless(stay: impl FnOnce() -> bool) {
    if is_masked() {
        // None would come.
        core::hint::spin_loop();
        return;
    }
    // SAFETY: interrupts are enabled here, and are so again in the end. `sti` holds them off until `hlt` waits for them. [MACHINE]
    unsafe {
        asm!("cli");
        if stay() {
            asm!("sti");
        } else {
            asm!("sti", "hlt");
        }
    }
}

/// Stops this processor for good.
pub fn stop() -> ! {
    loop {
        // SAFETY: nothing runs here any more. [MACHINE]
        unsafe { asm!("cli", "hlt") };
    }
}
