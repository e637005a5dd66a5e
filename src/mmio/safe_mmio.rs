//! Pointers of the crate [safe-mmio](https://docs.rs/safe-mmio), bounded by the scope (feature `safe-mmio`).
//!
//! For a driver whose registers are declared that crate's way, as a `#[repr(C)]` struct of `ReadPure<u32>` and the like, or that
//! uses another crate which takes such pointers. There is one of each kind:
//!
//! - [`DriverScope::map_unique`] maps a region as a `UniqueMmioPointer<'drv, T>`, which reads and writes. It is unique since nobody else has a handle to
//!   the mapping, and a region is mapped once at a time.
//! - [`Mmio::shared_pointer`] makes a `SharedMmioPointer<'drv, T>` of a handle, for reads without an effect. There may be many, beside handles that
//!   write. So a handle, which is `Copy`, never becomes a unique pointer.
//!
//! ```
//! use driver_scope::platform::Addressed;
//! use driver_scope::*;
//! use safe_mmio::fields::{ReadPure, ReadPureWrite};
//! use safe_mmio::{field, field_shared, UniqueMmioPointer};
//! use zerocopy::FromBytes;
//!
//! #[derive(FromBytes)]
//! #[repr(C)]
//! struct Gpio {
//!     input: ReadPure<u32>,
//!     output: ReadPureWrite<u32>,
//! }
//!
//! fn copy_pins<P: Platform<Bus: Addressed>>(
//!     scope: &DriverScope<'_, P>,
//!     dev: &PciDevice<P>,
//! ) -> Result<(), Error> {
//!     // SAFETY: `Gpio` has no `Deref`, its fields are aligned to their size, and the macros below are given a variable.
//!     let mut gpio: UniqueMmioPointer<'_, Gpio> = unsafe { scope.map_unique(dev.bar(0)?)? };
//!     let pins = field_shared!(gpio, input).read();
//!     field!(gpio, output).write(pins);
//!     Ok(())
//! }
//! ```
//!
//! # What to know
//! - **Order.** These accesses are relaxed, all of them: in program order with others to the device, and without order against
//!   memory. A doorbell, or a look at whether a DMA transfer is done, is an [`Mmio::write`] or [`Mmio::read`], or has its barrier written beside it.
//! - **Bytes** are in the CPU's order. [`Registers::ENDIAN`] is not looked at; zerocopy's byte order types say it.
//! - **Threads.** The pointers are `Send`, but not `Sync`. Driver data keeps a unique one in a [`Lock`](crate::Lock), and instead of a shared one the handle that
//!   it is made of, which costs nothing.
//! - **Rights** are those that the struct declares, not those of the [`registers!`](crate::registers) block: a register that is `wo` or `rc` there can be
//!   declared as readable here.
//!
//! # Safety
//! Of a crate whose pointers are bounded by a lifetime one expects that safe code can have them. Not of safe-mmio as of 0.3.2: with a pointer in hand, safe
//! code can access registers that are unmapped, misaligned, or by a reference. So the functions here are `unsafe`: a driver that forbids unsafe
//! code has `registers!`. Who calls them promises, for the pointer and all that is made of it:
//!
//! - **The macros** `field!`, `field_shared!` and `split_fields!` are given a variable, nothing that computes. They evaluate their argument several times, and
//!   take the address from one evaluation and the lifetime from another: a pointer out of a [`Devres`](crate::Devres) guard that is made anew
//!   each time outlives its registers.
//! - **`T`, and what it is made of, has no `Deref`.** The macros go through it, by a reference to device memory.
//! - **Each field** of 2, 4 or 8 bytes lies at a multiple of its size, also one whose alignment is less (`ReadPure<[u8; 4]>`, a byte order type,
//!   anything in a `packed` struct): such a field is accessed in one go, and nothing checks that it is aligned. (Of `T` itself this is checked here.)
//! - **No field is large**: one that is no word is read and written by recursion, a call for each word of it.
//! - **No `unsafe` code rests on a unique pointer being the only one**: `SharedMmioPointer::split_some` makes unique ones of a shared one.

use core::mem::{align_of, size_of};
use core::ptr::NonNull;

use safe_mmio::{SharedMmioPointer, UniqueMmioPointer};
use zerocopy::FromBytes;

use crate::error::Error;
use crate::mmio::{Mmio, Registers, REGION_ALIGN};
use crate::platform::{Addressed, Bus, Platform};
use crate::scope::DriverScope;
use crate::Invariant;

/// A block that is nothing but a `T`, so that `map` and `block_at` check the size and the alignment.
struct Whole<T>(Invariant<T>);

impl<T: 'static> Registers for Whole<T> {
    const SIZE: usize = size_of::<T>();
    const ALIGN: usize = alignment::<T>();
}

/// Where a `T` may begin. What is as large as a word is accessed as one, whatever its own alignment.
const fn alignment<T>() -> usize {
    match size_of::<T>() {
        size @ (2 | 4 | 8) if size > align_of::<T>() => size,
        _ => align_of::<T>(),
    }
}

impl<'drv, P: Platform> DriverScope<'drv, P> {
    /// Maps a region as a `T`, and gives out the only pointer to it. The scope undoes it when everything that could use it is gone.
    ///
    /// A `T` that is aligned to more than 8 bytes does not compile.
    ///
    /// # Errors
    /// As [`map`](DriverScope::map). The region is then not mapped.
    ///
    /// # Safety
    /// See [the module](crate::mmio::safe_mmio#safety).
    #[track_caller]
    pub unsafe fn map_unique<T: FromBytes + 'static>(
        &self,
        region: &<P::Bus as Bus>::Region,
    ) -> Result<UniqueMmioPointer<'drv, T>, Error>
    where
        P::Bus: Addressed,
    {
        const { fits::<Whole<T>, T>() };
        let regs = self.map::<Whole<T>>(region)?;
        // SAFETY: the mapping lasts throughout `'drv`, is as large as a `T`, as `map` compared, and aligned as that asks for, as asserted above.
        // Any bytes are a `T`. Volatile accesses by any thread are sound, to whatever register, promises `Addressed`. Nothing else reaches the
        // registers: `regs` ends here without a copy, there is no other way to a handle of this mapping, and no other mapping overlaps
        // it as long as it lasts. [PLACE, MAPPED, PROMISE]
        Ok(unsafe { UniqueMmioPointer::new(P::Bus::address(regs.io).cast()) })
    }
}

impl<'drv, R: Registers, P: Platform> Mmio<'drv, R, P> {
    /// A pointer to the block, taken for a `T`, for reads.
    ///
    /// A `T` that is larger than the block, or aligned to more than the block is, does not compile; nor does one of 2, 4 or 8 bytes in a block that is
    /// aligned to less than that, since it may be accessed in one go.
    ///
    /// # Safety
    /// See [the module](crate::mmio::safe_mmio#safety).
    #[must_use]
    pub unsafe fn shared_pointer<T: FromBytes + 'static>(self) -> SharedMmioPointer<'drv, T>
    where
        P::Bus: Addressed,
    {
        const { fits::<R, T>() };
        // SAFETY: the mapping lasts throughout `'drv`, which the signature gives the pointer. The block lies in it, is as large as a `T` and as
        // aligned, as asserted above. Any bytes are a `T`. [PLACE, MAPPED, PROMISE]
        unsafe { shared(P::Bus::address(self.io)) }
    }
}

impl<'drv, P: Platform> Mmio<'drv, [u8], P> {
    /// A pointer to what begins at `offset`, taken for a `T`, for reads.
    ///
    /// A `T` that is aligned to more than 8 bytes does not compile.
    ///
    /// # Errors
    /// [`Error::Misaligned`] if `offset` is not a multiple of the alignment of `T`, or of its size if that is 2, 4 or 8 (told as the width);
    /// [`Error::OutOfBounds`] if the `T` would end beyond the end.
    ///
    /// # Safety
    /// See [the module](crate::mmio::safe_mmio#safety).
    pub unsafe fn shared_pointer_at<T: FromBytes + 'static>(
        self,
        offset: usize,
    ) -> Result<SharedMmioPointer<'drv, T>, Error>
    where
        P::Bus: Addressed,
    {
        // SAFETY: the caller's promise. [CALLER]
        Ok(unsafe { self.block_at::<Whole<T>>(offset)?.shared_pointer() })
    }
}

/// A `T` fits into a block `R` wherever that begins, or this does not compile.
const fn fits<R: Registers, T>() {
    assert!(
        size_of::<T>() <= R::SIZE,
        "the type is larger than the block of registers"
    );
    // What `R` says of itself is bounded by what mappings promise.
    assert!(
        R::ALIGN.is_power_of_two() && R::ALIGN <= REGION_ALIGN,
        "a block's alignment is 1, 2, 4 or 8"
    );
    assert!(
        alignment::<T>() <= R::ALIGN,
        "the type asks for a larger alignment than the block of registers has"
    );
}

/// A shared pointer to a `T` in device memory.
///
/// # Safety
/// From `address` on, and throughout `'a`, there is a mapping of an [`Addressed`] bus, as large as a `T` at least, and `address` is aligned for one.
unsafe fn shared<'a, T: FromBytes + 'a>(address: NonNull<u8>) -> SharedMmioPointer<'a, T> {
    // Shared pointers are made of references, and of unique pointers, which no handle can become. A reference to nothing reaches no byte.
    // SAFETY: `address` is not null; of a type of no size, it needs nothing more. [LOCAL]
    let nothing: &'a () = unsafe { address.cast().as_ref() };
    // SAFETY: aligned and large enough, says the caller; in the same mapping, where `nothing` points to as well. [CALLER]
    unsafe { SharedMmioPointer::from(nothing).child(address.cast()) }
}
