//! Memory that the kernel maps into this process.

use std::fs::File;
use std::io;
use std::ptr::{self, NonNull};

use rustix::mm::{mmap, mmap_anonymous, munmap, MapFlags, ProtFlags};

/// Memory of this process, readable and writable until dropped, that others than its threads may access: a device's registers, or what a
/// device reads and writes.
///
/// The owner hands out only the address. Whoever accesses it must end before this is dropped, and must use volatile or atomic accesses:
/// no reference may cover it.
pub struct Mapping {
    base: NonNull<u8>,
    len: usize,
}

// SAFETY: a mapping belongs to the process, not to a thread: its address means the same in all of them,
// and munmap may be called from any. [SHARED]
unsafe impl Send for Mapping {}
// SAFETY: through `&Mapping` one gets only the address and the length, which never change. [SHARED]
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Maps a part of a file, which begins at a multiple of the size of a page.
    ///
    /// # Errors
    /// The kernel's.
    pub fn of_file(file: &File, offset: u64, len: usize) -> io::Result<Self> {
        // SAFETY: without MAP_FIXED the kernel chooses unused addresses, so no existing memory is
        // affected; the result is checked before it is used. [FOREIGN]
        let base = unsafe { mmap(ptr::null_mut(), len, both(), MapFlags::SHARED, file, offset) }?;
        Self::at(base, len)
    }

    /// Maps new memory, zeroed, of whole pages.
    ///
    /// # Errors
    /// The kernel's.
    pub fn of_memory(len: usize) -> io::Result<Self> {
        // Shared, so that a fork would not part it from what a device has.
        // SAFETY: as in `of_file`. [FOREIGN]
        let base = unsafe { mmap_anonymous(ptr::null_mut(), len, both(), MapFlags::SHARED) }?;
        Self::at(base, len)
    }

    fn at(base: *mut core::ffi::c_void, len: usize) -> io::Result<Self> {
        let base = NonNull::new(base.cast()).ok_or_else(|| io::Error::other("mapped at 0"))?;
        Ok(Self { base, len })
    }

    /// The address of the first byte; aligned to a page.
    #[must_use]
    pub fn base(&self) -> NonNull<u8> {
        self.base
    }

    /// The length in bytes.
    #[must_use]
    #[allow(clippy::len_without_is_empty)] // None is: the kernel refuses that.
    pub fn len(&self) -> usize {
        self.len
    }
}

fn both() -> ProtFlags {
    ProtFlags::READ | ProtFlags::WRITE
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: `base` and `len` are what mmap returned and was given, and nobody else unmaps
        // them. Nothing accesses them any more: that is what every user of `base` has promised. [FOREIGN, LOCAL]
        let result = unsafe { munmap(self.base.as_ptr().cast(), self.len) };
        debug_assert_eq!(result, Ok(()));
    }
}
