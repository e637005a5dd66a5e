//! What the compiler says of an item that does not fit its block.

use crate::mmio::Item;

/// Compiles for an item that fits its block; each condition is a parameter. A panic would do as well, but the compiler would point at the whole
/// `registers!`: here it points at the item.
#[doc(hidden)]
pub const fn declared<
    I: Item,
    const ALIGNMENT: bool,
    const ALIGNED: bool,
    const INSIDE: bool,
    const NOT_EMPTY: bool,
    const STRIDE: bool,
>()
where
    (): Alignable<I, I::Block, ALIGNMENT>
        + Aligned<I, ALIGNED>
        + Inside<I, I::Block, INSIDE>
        + NotEmpty<I, NOT_EMPTY>
        + ApartEnough<I, STRIDE>,
{
}

#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "the `align` of the block `{B}` does not suit `{I}`",
    label = "`align` is 1, 2, 4 or 8, and no less than this is wide",
    note = "a block without `align` lies at multiples of 8"
)]
pub trait Alignable<I, B, const HOLDS: bool> {}
impl<I, B> Alignable<I, B, true> for () {}

#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "the offset of `{I}` is misaligned",
    label = "not at a multiple of its alignment",
    note = "correct the offset, or the type: a register lies at multiples of its width, a block at multiples of its `align` (of 8, if it has none), memory at multiples of 8"
)]
pub trait Aligned<I, const HOLDS: bool> {}
impl<I> Aligned<I, true> for () {}

#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{I}` does not end inside its block `{B}`",
    label = "beyond the end of `{B}`",
    note = "correct the offset, the type, the number of elements, or the size of `{B}`"
)]
pub trait Inside<I, B, const HOLDS: bool> {}
impl<I, B> Inside<I, B, true> for () {}

#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "the array `{I}` has no elements",
    label = "0 elements",
    note = "an array is `[TYPE; COUNT; stride BYTES]`"
)]
pub trait NotEmpty<I, const HOLDS: bool> {}
impl<I> NotEmpty<I, true> for () {}

#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "the elements of the array `{I}` overlap, or are misaligned",
    label = "the stride is less than an element's size, or no multiple of its alignment",
    note = "an array is `[TYPE; COUNT; stride BYTES]`: the stride is from the start of an element to the start of the next"
)]
pub trait ApartEnough<I, const HOLDS: bool> {}
impl<I> ApartEnough<I, true> for () {}
