//! The counter of instructions, which is what QEMU makes of the processor's clock when it is asked to.

/// One instruction is one nanosecond, and the time stamp counter runs at 1 GHz: see `cargo xtask linux-report`. What is slept counts too.
pub fn instructions() -> u64 {
    // SAFETY: Every processor of this architecture has it, and Linux lets it be used. [MACHINE]
    unsafe { core::arch::x86_64::_rdtsc() }
}

/// What this thread has run for, likewise: what others do while it waits is not in it.
pub fn own() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    let (seconds, nanoseconds) = (time.tv_sec, time.tv_nsec);
    u64::try_from(seconds * 1_000_000_000 + nanoseconds).expect("time that has passed")
}

/// A loop of so many turns of two instructions.
pub fn spin(turns: u64) {
    // SAFETY: It changes a register and flags, and says so. [MACHINE]
    unsafe {
        core::arch::asm!("2: dec {0}", "jnz 2b", inout(reg) turns => _, options(nomem, nostack));
    }
}
