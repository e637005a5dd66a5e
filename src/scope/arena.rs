//! The scope's memory: chunks from the platform, handed out front to back, given back all at once.
//!
//! No lock: the platform is asked outside any, and a race for a new chunk costs at most a chunk that is returned.

use core::alloc::Layout;
use core::mem;
use core::ptr::{self, NonNull};

use crate::error::Error;
use crate::platform::Platform;
use crate::sync::{AtomicPtr, AtomicUsize, Ordering};

/// The size of the first chunks; a larger request gets a chunk of its own size.
const CHUNK: usize = 1024;
/// Chunks are aligned so that ordinary values need no padding at their start.
const CHUNK_ALIGN: usize = 16;

struct Chunk {
    next: *mut Chunk,
    layout: Layout,
    /// Bytes handed out, this header included.
    used: AtomicUsize,
}

pub(crate) struct Arena {
    /// The newest chunk. Chunks are only ever added, until `free`.
    newest: AtomicPtr<Chunk>,
}

impl Arena {
    pub(crate) fn new() -> Self {
        Arena {
            newest: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// Memory for one `T`, uninitialised, valid until [`free`](Arena::free).
    ///
    /// Context: may sleep.
    pub(crate) fn reserve<T>(&self, platform: &impl Platform) -> Result<NonNull<T>, Error> {
        self.reserve_layout(Layout::new::<T>(), platform)
            .map(NonNull::cast)
    }

    fn reserve_layout(
        &self,
        layout: Layout,
        platform: &impl Platform,
    ) -> Result<NonNull<u8>, Error> {
        if layout.size() == 0 {
            // A well-aligned address that is no memory: all that a zero-sized value needs.
            let dangling = ptr::without_provenance_mut(layout.align());
            return NonNull::new(dangling).ok_or(Error::NoMemory);
        }
        loop {
            // Acquire: pairs with the Release in `grow`, which published the chunk's header.
            let newest = self.newest.load(Ordering::Acquire);
            if let Some(chunk) = NonNull::new(newest) {
                // SAFETY: chunks are initialised before they are published, and live until `free`, whose caller vouches that nobody is here. [ARENA]
                if let Some(block) = unsafe { Self::carve(chunk, layout) } {
                    return Ok(block);
                }
            }
            self.grow(newest, layout, platform)?;
        }
    }

    /// Cuts a block out of a chunk, if there is room.
    ///
    /// # Safety
    /// `chunk` is initialised and not freed while this runs.
    unsafe fn carve(chunk: NonNull<Chunk>, layout: Layout) -> Option<NonNull<u8>> {
        // SAFETY: the caller vouches for the chunk; shared access, and `used` is atomic. [CALLER]
        let (used, size) = unsafe { (&(*chunk.as_ptr()).used, (*chunk.as_ptr()).layout.size()) };
        let base = chunk.as_ptr().cast::<u8>();
        let mut from = used.load(Ordering::Relaxed);
        loop {
            let padding = (base.addr().wrapping_add(from)).wrapping_neg() & (layout.align() - 1);
            let start = from.checked_add(padding)?;
            let end = start.checked_add(layout.size())?;
            if end > size {
                return None;
            }
            // Relaxed: the number only divides the chunk between callers. What they write into their blocks they
            // publish themselves.
            match used.compare_exchange_weak(from, end, Ordering::Relaxed, Ordering::Relaxed) {
                // SAFETY: `start <= size`, so this stays inside the chunk's block. [LOCAL]
                Ok(_) => return NonNull::new(unsafe { base.add(start) }),
                Err(now) => from = now,
            }
        }
    }

    /// Puts a new chunk on top, large enough for `layout`, unless another context did meanwhile.
    fn grow(
        &self,
        newest: *mut Chunk,
        layout: Layout,
        platform: &impl Platform,
    ) -> Result<(), Error> {
        let needed = mem::size_of::<Chunk>()
            .checked_add(layout.size())
            .and_then(|size| size.checked_add(layout.align() - 1))
            .ok_or(Error::NoMemory)?;
        let generous = Layout::from_size_align(needed.max(CHUNK), CHUNK_ALIGN);
        let exact = Layout::from_size_align(needed, CHUNK_ALIGN);
        // A small platform may have room for what is needed, if not for a whole chunk.
        let (block, layout) = [generous, exact]
            .into_iter()
            .filter_map(Result::ok)
            .find_map(|layout| Some((platform.allocate(layout)?, layout)))
            .ok_or(Error::NoMemory)?;
        let chunk = block.as_ptr().cast::<Chunk>();
        // SAFETY: the block is fresh, large enough for the header, and aligned to CHUNK_ALIGN, which is no less than the
        // header's alignment (asserted below). [PROMISE]
        unsafe {
            chunk.write(Chunk {
                next: newest,
                layout,
                used: AtomicUsize::new(mem::size_of::<Chunk>()),
            });
        }
        const { assert!(mem::align_of::<Chunk>() <= CHUNK_ALIGN) };
        // Release: publishes the header; pairs with the Acquire load in `reserve_layout`. There is no ABA, since no chunk
        // leaves the list while the arena is shared.
        if self
            .newest
            .compare_exchange(newest, chunk, Ordering::Release, Ordering::Relaxed)
            .is_err()
        {
            // SAFETY: the chunk was not published, so it is ours alone, and it came from this platform with this layout. Its
            // header has no drop glue that matters (loom's atomics aside, which own nothing). [PROMISE]
            unsafe { platform.deallocate(block, layout) };
        }
        Ok(())
    }

    /// Gives every chunk back.
    ///
    /// # Safety
    /// Nothing uses the arena's memory any more, and `platform` is the one that `reserve` was given.
    pub(crate) unsafe fn free(&self, platform: &impl Platform) {
        let mut chunk = self.newest.swap(ptr::null_mut(), Ordering::Acquire);
        while let Some(block) = NonNull::new(chunk) {
            // SAFETY: the chunk was published by `grow`, so its header is initialised; it is freed below, once. [ARENA]
            let (next, layout) = unsafe { ((*chunk).next, (*chunk).layout) };
            // SAFETY: the block came from this platform with this layout, and the caller vouches that it is unused. [PROMISE, CALLER]
            unsafe { platform.deallocate(block.cast(), layout) };
            chunk = next;
        }
    }
}
