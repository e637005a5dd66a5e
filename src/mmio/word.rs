#[cfg(target_pointer_width = "64")]
use core::sync::atomic::AtomicU64;
use core::sync::atomic::Ordering::Relaxed;
use core::sync::atomic::{AtomicU16, AtomicU32, AtomicU8};

/// What a register can be read and written as: `u8`, `u16`, `u32`, and `u64` where the machine reads that in one access.
///
/// Sealed: a value is built from the raw integer by safe code, never reinterpreted.
#[diagnostic::on_unimplemented(
    message = "a register is read and written as `u8`, `u16`, `u32` or `u64`, not as `{Self}`",
    label = "no machine word"
)]
pub trait Word: Copy + sealed::Sealed + Send + Sync + 'static {
    /// All bits set: what a PCI device that is not there reads as.
    const ONES: Self;

    /// Reads device memory with one access of this width, which the compiler neither repeats, drops nor splits. The bytes are in the CPU's order.
    ///
    /// # Safety
    /// `address` is aligned, and valid for such a read until it returns. (It need not be Rust memory: since 1.90 the reference of
    /// `core::ptr::read_volatile` defines accesses outside all allocations, and compilers did the same before.)
    unsafe fn read_volatile(address: *const Self) -> Self;

    /// Writes device memory with one access of this width.
    ///
    /// # Safety
    /// As for [`read_volatile`](Word::read_volatile), for a write.
    unsafe fn write_volatile(address: *mut Self, value: Self);

    /// Reads memory that a device may write at the same time: a relaxed atomic load of this width. The bytes are in the CPU's order.
    ///
    /// # Safety
    /// `address` is aligned, and valid for such a read until it returns.
    unsafe fn load_relaxed(address: *mut Self) -> Self;

    /// Writes memory that a device may use at the same time: a relaxed atomic store of this width.
    ///
    /// # Safety
    /// As for [`load_relaxed`](Word::load_relaxed), for a write.
    unsafe fn store_relaxed(address: *mut Self, value: Self);

    /// What a little-endian device means by these bytes, and back.
    #[must_use]
    fn to_le(self) -> Self;

    /// With its bytes in the other order.
    #[must_use]
    fn swap_bytes(self) -> Self;

    /// The value, widened.
    fn to_u64(self) -> u64;

    /// The low bits of `value`.
    fn truncate(value: u64) -> Self;
}

mod sealed {
    #[diagnostic::on_unimplemented(
        message = "`Word` cannot be implemented for other types",
        label = "no machine word",
        note = "a type with fields is a `RegisterValue`: `register_values! {{ {Self}: u32 }}`"
    )]
    pub trait Sealed {}
}

macro_rules! word {
    ($($word:ty, $atomic:ty;)*) => {$(
        #[diagnostic::do_not_recommend]
        impl sealed::Sealed for $word {}
        #[diagnostic::do_not_recommend]
        impl Word for $word {
            const ONES: Self = <$word>::MAX;

            #[inline(always)]
            unsafe fn read_volatile(address: *const Self) -> Self {
                // SAFETY: the caller's promise. [CALLER]
                unsafe { address.read_volatile() }
            }
            #[inline(always)]
            unsafe fn write_volatile(address: *mut Self, value: Self) {
                // SAFETY: the caller's promise. [CALLER]
                unsafe { address.write_volatile(value) }
            }
            #[inline(always)]
            unsafe fn load_relaxed(address: *mut Self) -> Self {
                // SAFETY: aligned and valid throughout this call, says the caller. Relaxed: order is made by barriers and device accesses. [WORDS, CALLER]
                unsafe { <$atomic>::from_ptr(address) }.load(Relaxed)
            }
            #[inline(always)]
            unsafe fn store_relaxed(address: *mut Self, value: Self) {
                // SAFETY: as above. Relaxed: as above. [WORDS, CALLER]
                unsafe { <$atomic>::from_ptr(address) }.store(value, Relaxed);
            }
            #[inline(always)]
            fn to_le(self) -> Self {
                <$word>::to_le(self)
            }
            #[inline(always)]
            fn swap_bytes(self) -> Self {
                <$word>::swap_bytes(self)
            }
            #[inline(always)]
            fn to_u64(self) -> u64 {
                u64::from(self)
            }
            #[inline(always)]
            fn truncate(value: u64) -> Self {
                // Its low bits are what is asked for.
                value as Self
            }
        }
    )*};
}

word! {
    u8, AtomicU8;
    u16, AtomicU16;
    u32, AtomicU32;
}
#[cfg(target_pointer_width = "64")]
word! {
    u64, AtomicU64;
}
