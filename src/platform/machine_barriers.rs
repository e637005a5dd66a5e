//! The barriers of the machines that are known.

use mem_barrier::{mem_barrier, BarrierKind, BarrierType};

use crate::platform::Barriers;

/// The [`Barriers`] of this machine, by the crate `mem-barrier`:
///
/// | | [`read_barrier`](Barriers::read_barrier) | [`write_barrier`](Barriers::write_barrier) | Linux, in `readl` and `writel` |
/// |---|---|---|---|
/// | x86 | the compiler only | the compiler only | the same |
/// | aarch64 | `dmb oshld` | `dmb oshst` | the same (its `readl` also orders delay loops) |
/// | RISC-V | `fence ir, ir` | `fence ow, ow` | `fence i, ir` and `fence w, o` |
///
/// (Sources: `arch/*/include/asm/io.h` of Linux; the code that is generated is kept in `codegen/expected` and compared.) On x86 that holds for
/// uncached mappings; what goes through a *write-combining* one is ordered by nothing here.
#[derive(Clone, Copy, Debug)]
pub enum MachineBarriers {}

/// What orders an access against memory that a device may use.
const KIND: BarrierKind = if cfg!(any(target_arch = "x86", target_arch = "x86_64")) {
    // Uncached accesses are not reordered with those of normal memory, but by the compiler.
    BarrierKind::Compiler
} else {
    BarrierKind::Dma
};

// SAFETY: on x86 neither two reads nor two writes are reordered, of memory or of an uncached mapping (Intel's manual, volume 3, "Memory Ordering"), so holding back the compiler does
// it. On the others these are the machine's barriers for what devices share, of loads and of stores, registers included, as in the table. [PROMISE, MACHINE]
unsafe impl Barriers for MachineBarriers {
    #[inline(always)]
    fn write_barrier() {
        mem_barrier(KIND, BarrierType::Write);
    }

    #[inline(always)]
    fn read_barrier() {
        mem_barrier(KIND, BarrierType::Read);
    }
}
