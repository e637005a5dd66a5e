//! How a model is set up.

use std::time::Duration;

/// How long the device takes for what it does by itself, in time of the model's clock.
///
/// Every duration is rounded down to a whole nanosecond count of 64 bits (584 years at most). Zero
/// is allowed: the work is then done by the next look at the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EduConfig {
    /// From the write of the factorial register to its result. Default: 100 µs.
    ///
    /// QEMU docs/specs/edu promises no time, only that the status has to be waited for.
    pub compute: Duration,
    /// From the start of a DMA transfer to its end. Default: 100 ms, which is what QEMU takes
    /// (observed: 99 to 100 ms, since it counts from the last whole millisecond).
    pub transfer: Duration,
    /// Which bits of an address of memory count in a transfer. Default: the lower 28, which is what QEMU has unless it is told otherwise (`-device edu,dma_mask=..`).
    pub dma_mask: u64,
}

impl Default for EduConfig {
    fn default() -> Self {
        Self {
            compute: Duration::from_micros(100),
            transfer: Duration::from_millis(100),
            dma_mask: (1 << 28) - 1,
        }
    }
}

/// `delay` in nanoseconds, at most `u64::MAX`.
pub(crate) fn nanoseconds(delay: Duration) -> u64 {
    u64::try_from(delay.as_nanos()).unwrap_or(u64::MAX)
}
