//! What becomes of a driver's panic.
//!
//! With `std` it is caught at the crate's boundary, so that a teardown or the other timers go on. Without, the callbacks'
//! `extern "C"` entries abort, and a teardown goes on in a destructor (a second panic aborts).

/// A caught panic. Its payload is forgotten: the payload's own `Drop` may panic.
#[derive(Debug)]
pub(crate) struct Caught;

#[cfg(all(feature = "std", not(loom)))]
pub(crate) fn catch<R>(f: impl FnOnce() -> R) -> Result<R, Caught> {
    // Whatever `f` left broken belongs to the driver, and is either not called again (a timer) or about to be destroyed.
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(f)).map_err(|payload| {
        core::mem::forget(payload);
        Caught
    })
}

// Under loom nothing is caught: a failing model tells by its panic.
#[cfg(not(all(feature = "std", not(loom))))]
pub(crate) fn catch<R>(f: impl FnOnce() -> R) -> Result<R, Caught> {
    Ok(f())
}
