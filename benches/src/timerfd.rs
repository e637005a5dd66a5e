//! Linux's timers that are file descriptors.

use std::io;

/// CLOCK_MONOTONIC, in nanoseconds.
#[must_use]
pub fn monotonic() -> u64 {
    // SAFETY: a plain struct, filled in by the call.
    unsafe {
        let mut now: libc::timespec = std::mem::zeroed();
        libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut now);
        now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
    }
}

/// A timer of Linux.
///
/// # Errors
/// If there are no descriptors left.
pub fn timerfd() -> io::Result<libc::c_int> {
    // SAFETY: takes no pointer.
    match unsafe { libc::timerfd_create(libc::CLOCK_MONOTONIC, libc::TFD_NONBLOCK) } {
        -1 => Err(io::Error::last_os_error()),
        timer => Ok(timer),
    }
}

/// Has it expire at an instant of CLOCK_MONOTONIC; zero disarms it.
///
/// # Panics
/// If it is no timer.
pub fn settime(timer: libc::c_int, at: u64) {
    // SAFETY: a plain struct, read by the call.
    let result = unsafe {
        let mut spec: libc::itimerspec = std::mem::zeroed();
        spec.it_value.tv_sec = (at / 1_000_000_000) as libc::time_t;
        spec.it_value.tv_nsec = (at % 1_000_000_000) as libc::c_long;
        libc::timerfd_settime(timer, libc::TFD_TIMER_ABSTIME, &spec, std::ptr::null_mut())
    };
    assert_eq!(result, 0);
}
