//! The memory of the hosted platforms: the global allocator's.

use std::alloc;

use core::alloc::Layout;
use core::ptr::NonNull;

/// As [`Platform::allocate`](crate::Platform::allocate).
pub(super) fn allocate(layout: Layout) -> Option<NonNull<u8>> {
    // The crate never asks for a layout of size zero, but anybody may.
    if layout.size() == 0 {
        return None;
    }
    // SAFETY: not of size zero. [LOCAL]
    NonNull::new(unsafe { alloc::alloc(layout) })
}

/// As [`Platform::deallocate`](crate::Platform::deallocate).
///
/// # Safety
/// The block is from [`allocate`], for this layout, and nobody uses it any more.
pub(super) unsafe fn deallocate(block: NonNull<u8>, layout: Layout) {
    // SAFETY: the caller's promise. [CALLER]
    unsafe { alloc::dealloc(block.as_ptr(), layout) }
}
