//! What orders accesses to memory and to the registers of devices.

/// What orders a context's accesses to memory against those to devices, and among each other as devices see them.
///
/// A [`MemoryBus`](crate::platform::MemoryBus) and a [`Dma`](crate::platform::Dma) name theirs, and so promise that these are right for their devices: a model's are not for a
/// machine's. `platform::MachineBarriers` (feature `barriers`) are ready for a few machines; a kernel has its own.
///
/// # Safety
/// Both do what is said of them, and keep the compiler as well from moving accesses across: volatile ones, atomic ones, and those to memory that other contexts
/// know of. They work in any context, and do not unwind.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no barriers of a machine",
    label = "`Barriers` is not implemented for it",
    note = "feature `barriers` has `platform::MachineBarriers`"
)]
pub unsafe trait Barriers: 'static {
    /// What this context has written to memory before this, or has seen written, devices see, and other contexts, if they see anything that it writes after this: to memory
    /// (`dma_wmb` of Linux), or to the register of a device (what `writel` of Linux has before its access).
    fn write_barrier();

    /// What this context has read before this, from memory (`dma_rmb` of Linux) or from the register of a device (what `readl` of Linux has after its access), it had read before it
    /// reads any memory after this.
    fn read_barrier();
}
