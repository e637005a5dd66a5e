//! A counted value in the platform's memory, for what outlives a scope: an `Arc` without `alloc`.

use core::alloc::Layout;
use core::mem::MaybeUninit;
use core::ops::Deref;
use core::ptr::{self, NonNull};

use crate::error::Error;
use crate::platform::Platform;
use crate::sync::{AtomicUsize, Ordering, UnsafeCell};

struct Block<T, P: Platform> {
    owners: AtomicUsize,
    /// Where the memory came from.
    platform: P,
    /// For the last owner that goes in a callback, where memory cannot be given back.
    deferred: UnsafeCell<MaybeUninit<P::Deferred>>,
    value: T,
}

/// One of the owners. The value is dropped with the last of them, and the memory given back: later, if that is in a callback.
pub(crate) struct Shared<T, P: Platform>(NonNull<Block<T, P>>);

// SAFETY: owners share the value and may drop it on any thread, hence `T: Send + Sync`; a platform is both, as are its deferred nodes. [SHARED, COUNTED]
unsafe impl<T: Send + Sync, P: Platform> Send for Shared<T, P> {}
// SAFETY: as above. [SHARED, COUNTED]
unsafe impl<T: Send + Sync, P: Platform> Sync for Shared<T, P> {}

impl<T, P: Platform> Shared<T, P> {
    const LAYOUT: Layout = Layout::new::<Block<T, P>>();

    /// A value with one owner.
    pub(crate) fn new(platform: &P, value: T) -> Result<Self, (Error, T)> {
        let Some(memory) = platform.allocate(Self::LAYOUT) else {
            return Err((Error::NoMemory, value));
        };
        let block = memory.cast::<Block<T, P>>();
        // SAFETY: memory for a block, ours alone. [PROMISE]
        unsafe {
            block.write(Block {
                owners: AtomicUsize::new(1),
                platform: platform.clone(),
                deferred: UnsafeCell::new(MaybeUninit::uninit()),
                value,
            });
        }
        Ok(Shared(block))
    }

    fn block(&self) -> &Block<T, P> {
        // SAFETY: initialised by `new` and there until the last owner has gone; only ever borrowed shared until then. [COUNTED]
        unsafe { &*self.0.as_ptr() }
    }

    /// The platform it lives on.
    #[inline(always)]
    pub(crate) fn platform(&self) -> &P {
        &self.block().platform
    }

    /// Gives up the ownership without its end; `from_raw` takes it up again.
    pub(crate) fn into_raw(self) -> NonNull<()> {
        let raw = self.0.cast();
        core::mem::forget(self);
        raw
    }

    /// # Safety
    /// `raw` came from `into_raw` of this type; one owner comes of each.
    pub(crate) unsafe fn from_raw(raw: NonNull<()>) -> Self {
        Shared(raw.cast())
    }

    /// Drops what is in the block, and gives it back.
    ///
    /// # Safety
    /// The last owner has gone, and this is called once.
    unsafe fn free(block: NonNull<Block<T, P>>) {
        // SAFETY: nobody else is left; the parts are moved out or dropped once, then the memory goes back to where `new` got it. [CALLER]
        unsafe {
            let platform = ptr::read(&raw const (*block.as_ptr()).platform);
            let value = ptr::read(&raw const (*block.as_ptr()).value);
            platform.deallocate(block.cast(), Self::LAYOUT);
            drop(value);
        }
    }
}

impl<T, P: Platform> Deref for Shared<T, P> {
    type Target = T;
    #[inline(always)]
    fn deref(&self) -> &T {
        &self.block().value
    }
}

impl<T, P: Platform> Clone for Shared<T, P> {
    fn clone(&self) -> Self {
        // Relaxed: the new owner comes of one that is there.
        let before = self.block().owners.fetch_add(1, Ordering::Relaxed);
        if before > usize::MAX / 2 {
            // Only owners that are forgotten, over and over, get there. The count must not start over.
            self.block().owners.fetch_sub(1, Ordering::Relaxed);
            panic!("too many handles were forgotten");
        }
        Shared(self.0)
    }
}

impl<T, P: Platform> Drop for Shared<T, P> {
    fn drop(&mut self) {
        /// # Safety
        /// As for `Shared::free`.
        unsafe extern "C" fn free_later<T, P: Platform>(block: *mut ()) {
            // SAFETY: the caller's promise; `defer` was given a block, which is not null. [CALLER]
            unsafe { Shared::<T, P>::free(NonNull::new_unchecked(block.cast())) }
        }

        // Release: pairs with the Acquire below, so that all use of the value comes before its end.
        if self.block().owners.fetch_sub(1, Ordering::Release) != 1 {
            return;
        }
        // Acquire: pairs with the Release of the other owners. (A load and not a fence, which ThreadSanitizer does not know.)
        let _ = self.block().owners.load(Ordering::Acquire);
        let platform = self.platform();
        if platform.in_callback() {
            let node = self
                .block()
                .deferred
                .with_mut(|node| node.cast::<P::Deferred>());
            // A clone: the block, and the platform in it, may be gone before `defer` returns.
            let platform = platform.clone();
            // SAFETY: the node is in the block, which stays until `free_later`, called once, frees it. That is sound on any thread: the crate
            // makes a `Shared` of `Gates` and of what a `Devres` holds, no more, and both are `Send`. [COUNTED, LAST, SHARED]
            unsafe { platform.defer(node, free_later::<T, P>, self.0.as_ptr().cast()) };
        } else {
            // SAFETY: this was the last owner. [COUNTED]
            unsafe { Self::free(self.0) };
        }
    }
}
