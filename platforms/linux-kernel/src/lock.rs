// SPDX-License-Identifier: GPL-2.0

//! The lock that every context may take: a raw spin lock, with interrupts disabled.

use core::cell::UnsafeCell;
use core::mem::MaybeUninit;
use core::panic::Location;
use core::ptr;

use driver_scope::platform::RawLock;
use kernel::bindings;
use kernel::ffi::{c_char, c_void};
use kernel::prelude::*;

mod c {
    use super::{bindings, c_char, c_void};

    // SAFETY: as `helpers.c` defines it. [FOREIGN]
    extern "C" {
        pub(super) fn driver_scope_raw_spin_lock_init(
            lock: *mut bindings::raw_spinlock_t,
            name: *const c_char,
            key: *const c_void,
        );
    }
}

/// What lockdep calls all of them. One string, since it wants a class to have one name.
static NAME: &CStr = c"driver_scope::Lock";

/// A raw spin lock.
pub struct RawSpin(UnsafeCell<bindings::raw_spinlock_t>);

// SAFETY: a lock is made to be used by all CPUs. [SHARED]
unsafe impl Send for RawSpin {}
// SAFETY: as above. [SHARED]
unsafe impl Sync for RawSpin {}

// SAFETY: what a spin lock of the kernel promises. It masks interrupts, so no handler can want it on the CPU that holds it. [PROMISE]
unsafe impl RawLock for RawSpin {
    /// Nothing: how often interrupts are disabled is counted by the kernel for each CPU, so guards may end in any order.
    type Saved = ();

    fn new(made_at: &'static Location<'static>) -> Self {
        let mut raw = MaybeUninit::uninit();
        // The class of a lock is where it is made, as for C's, whose `spin_lock_init` has a key for each place that it is written at. lockdep uses no more of such a key
        // than the addresses of its first bytes.
        const { assert!(size_of::<Location<'_>>() >= 8) };
        let key = ptr::from_ref(made_at).cast();
        // SAFETY: memory for a lock; the name and the key, which is not written to, are there as long as the module is. [FOREIGN]
        unsafe {
            c::driver_scope_raw_spin_lock_init(raw.as_mut_ptr(), NAME.as_char_ptr(), key);
        }
        // A lock that nobody holds has nothing in it that refers to its place, so it may be moved.
        // SAFETY: just initialised. [FOREIGN]
        RawSpin(UnsafeCell::new(unsafe { raw.assume_init() }))
    }

    #[inline]
    fn lock(&self) {
        // SAFETY: any context may disable interrupts; initialised by `new`. [FOREIGN]
        unsafe {
            bindings::local_interrupt_disable();
            bindings::_raw_spin_lock(self.0.get());
        }
    }

    #[inline]
    unsafe fn unlock(&self, (): ()) {
        // SAFETY: the caller holds it, and has disabled interrupts by `lock`. [FOREIGN, CALLER]
        unsafe {
            bindings::_raw_spin_unlock(self.0.get());
            bindings::local_interrupt_enable();
        }
    }
}

/// A value under such a lock, for the parts of the platform.
pub(crate) struct Spin<T> {
    raw: RawSpin,
    value: UnsafeCell<T>,
}

// SAFETY: the value is only touched by the holder of the lock. [SHARED, LOCKED]
unsafe impl<T: Send> Sync for Spin<T> {}

impl<T> Spin<T> {
    #[track_caller]
    pub(crate) fn new(value: T) -> Self {
        Spin {
            raw: RawSpin::new(Location::caller()),
            value: UnsafeCell::new(value),
        }
    }

    /// Runs `f`, which does not wait and does not unwind (nothing does, here), under the lock.
    pub(crate) fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        self.raw.lock();
        // SAFETY: we hold the lock; `f` cannot get at the value in another way. [LOCKED]
        let result = f(unsafe { &mut *self.value.get() });
        // SAFETY: locked above. [LOCKED]
        unsafe { self.raw.unlock(()) };
        result
    }
}
