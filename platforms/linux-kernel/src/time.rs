// SPDX-License-Identifier: GPL-2.0

//! Clocks.

use driver_scope::{Clock, Instant};
use kernel::bindings;
use kernel::ffi::c_int;

/// Nanoseconds of the monotonic clock.
pub(crate) fn monotonic() -> u64 {
    // SAFETY: any context may ask. [FOREIGN]
    from_ktime(unsafe { bindings::ktime_get() })
}

/// The present by a clock.
pub(crate) fn now(clock: Clock) -> Option<Instant> {
    let with_offset = |offset| {
        // SAFETY: any context may ask. [FOREIGN]
        from_ktime(unsafe { bindings::ktime_get_with_offset(offset) })
    };
    let nanos = match clock {
        Clock::Monotonic => monotonic(),
        Clock::RealTime => with_offset(bindings::tk_offsets_TK_OFFS_REAL),
        Clock::BootTime => with_offset(bindings::tk_offsets_TK_OFFS_BOOT),
        _ => return None,
    };
    Some(Instant::from_nanos(nanos))
}

/// The kernel's number of a clock.
pub(crate) fn clock_id(clock: Clock) -> Option<c_int> {
    let id = match clock {
        Clock::Monotonic => bindings::CLOCK_MONOTONIC,
        Clock::RealTime => bindings::CLOCK_REALTIME,
        Clock::BootTime => bindings::CLOCK_BOOTTIME,
        _ => return None,
    };
    Some(id as c_int)
}

/// Clocks count from zero.
fn from_ktime(time: bindings::ktime_t) -> u64 {
    u64::try_from(time).unwrap_or(0)
}

/// As the kernel counts; what it cannot count to, in 292 years, never comes.
pub(crate) fn to_ktime(at: Instant) -> bindings::ktime_t {
    bindings::ktime_t::try_from(at.as_nanos()).unwrap_or(bindings::ktime_t::MAX)
}
