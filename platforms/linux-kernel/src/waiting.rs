// SPDX-License-Identifier: GPL-2.0

//! Waits.

use core::time::Duration;

use kernel::bindings;
use kernel::ffi::c_ulong;

use crate::{context, time};

/// How often a wait that lasts is reported, in nanoseconds.
const STALL: u64 = 1_000_000_000;

/// Sleeps for so long, or a little longer.
pub(crate) fn sleep(delay: Duration) {
    /// What is left to high-resolution timers, in nanoseconds; above that, ticks do.
    const SHORT: u64 = 20_000_000;
    /// What the kernel sleeps for at once, in milliseconds.
    const LONG: u64 = 1 << 30;

    if delay.is_zero() {
        return;
    }
    context::assert_may_sleep();
    let nanos = u64::try_from(delay.as_nanos()).unwrap_or(u64::MAX);
    if nanos <= SHORT {
        let micros = nanos.div_ceil(1000) as c_ulong;
        // SAFETY: the caller may sleep. [FOREIGN]
        unsafe {
            bindings::usleep_range_state(
                micros,
                micros + micros / 4,
                bindings::TASK_UNINTERRUPTIBLE,
            );
        }
    } else {
        let mut millis = nanos.div_ceil(1_000_000);
        while millis > 0 {
            let part = millis.min(LONG);
            // SAFETY: as above. [FOREIGN]
            unsafe { bindings::msleep(part as u32) };
            millis -= part;
        }
    }
}

/// Lets a moment pass between two looks: spins, then sleeps for longer and longer.
pub(crate) fn pause(round: u32) {
    const SPINS: u32 = 20;
    match round.checked_sub(SPINS) {
        None => core::hint::spin_loop(),
        Some(round) => sleep(Duration::from_micros(20 << round.min(5))),
    }
}

/// Waits until `look` has something, and calls `stalled` once a second.
pub(crate) fn until<R>(stalled: &dyn Fn(), mut look: impl FnMut() -> Option<R>) -> R {
    let mut round = 0;
    let mut report = None;
    loop {
        if let Some(result) = look() {
            return result;
        }
        let now = time::monotonic();
        match report {
            Some(at) if now >= at => {
                stalled();
                report = Some(now + STALL);
            }
            Some(_) => {}
            None => report = Some(now + STALL),
        }
        pause(round);
        round = round.saturating_add(1);
    }
}
