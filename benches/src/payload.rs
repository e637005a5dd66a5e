//! What everybody reads, and what everybody gives up.

use std::hint::black_box;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

/// What the register reads as.
pub const VALUE: u32 = 0x0123_4567;

/// The "device": memory that the benches only read.
#[repr(align(128))]
struct Device([AtomicU32; 32]);

static DEVICE: Device = Device([const { AtomicU32::new(VALUE) }; 32]);

/// Where a register is: the address of 32 bits that are there for ever.
#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
pub struct Register(NonNull<u32>);

// SAFETY: the address of memory that nobody writes.
unsafe impl Send for Register {}
// SAFETY: as above.
unsafe impl Sync for Register {}

impl Register {
    /// The first register of the device.
    #[must_use]
    pub fn first() -> Self {
        Register(NonNull::from(&DEVICE.0[0]).cast())
    }

    /// The size of the device behind [`first`](Register::first), in bytes.
    pub const SIZE: usize = size_of::<Device>();

    /// Its address.
    #[must_use]
    pub fn address(self) -> NonNull<u8> {
        self.0.cast()
    }

    /// Reads it: one volatile access.
    #[inline(always)]
    #[must_use]
    pub fn read(self) -> u32 {
        // SAFETY: inside a static, and aligned.
        unsafe { self.0.as_ptr().read_volatile() }
    }

    /// Reads it `N` times, and sums up.
    #[inline(always)]
    #[must_use]
    pub fn read_times<const N: usize>(self) -> u32 {
        sum_of::<N>(|| self.read())
    }
}

/// The sum of `N` reads. That of none is a nought that the compiler knows nothing of, or there would be nothing left to measure.
#[inline(always)]
#[must_use]
pub fn sum_of<const N: usize>(read: impl Fn() -> u32) -> u32 {
    if N == 0 {
        return black_box(0);
    }
    (0..N).fold(0, |sum: u32, _| sum.wrapping_add(read()))
}

/// The time since the first call, in nanoseconds.
#[must_use]
pub fn now() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_nanos() as u64
}

/// Notes when the last of a payload's copies was dropped.
#[derive(Debug, Default)]
pub struct Stamp {
    copies: AtomicUsize,
    dropped_at: AtomicU64,
}

impl Stamp {
    /// When, if it has been.
    #[must_use]
    pub fn dropped_at(&self) -> Option<u64> {
        match self.dropped_at.load(Ordering::Acquire) {
            0 => None,
            at => Some(at),
        }
    }
}

/// What is revoked: a register, and a drop that can be noticed.
#[derive(Debug)]
pub struct Payload {
    register: Register,
    stamp: Option<Arc<Stamp>>,
}

impl Payload {
    /// One whose drop nobody notices.
    #[must_use]
    pub fn new() -> Self {
        Payload {
            register: Register::first(),
            stamp: None,
        }
    }

    /// One whose drop is noted.
    #[must_use]
    pub fn stamped(stamp: Arc<Stamp>) -> Self {
        stamp.copies.fetch_add(1, Ordering::Relaxed);
        Payload {
            register: Register::first(),
            stamp: Some(stamp),
        }
    }

    /// Reads the register.
    #[inline(always)]
    #[must_use]
    pub fn read(&self) -> u32 {
        self.register.read()
    }

    /// The register.
    #[inline(always)]
    #[must_use]
    pub fn register(&self) -> Register {
        self.register
    }
}

impl Default for Payload {
    fn default() -> Self {
        Self::new()
    }
}

/// For those who keep two of everything.
impl Clone for Payload {
    fn clone(&self) -> Self {
        self.stamp
            .as_ref()
            .map_or_else(Self::new, |stamp| Self::stamped(Arc::clone(stamp)))
    }
}

impl Drop for Payload {
    fn drop(&mut self) {
        if let Some(stamp) = &self.stamp {
            // AcqRel: the copies dropped before come before the note.
            if stamp.copies.fetch_sub(1, Ordering::AcqRel) == 1 {
                // Release: pairs with the Acquire in `dropped_at`. Never 0, which means not yet.
                stamp.dropped_at.store(now().max(1), Ordering::Release);
            }
        }
    }
}
