//! Blocks of registers, and what lies in them where.

use core::fmt;
use core::marker::PhantomData;
use core::mem;

use crate::error::Error;
use crate::mmio::RegisterValue;
use crate::Invariant;

/// A block of registers: a type that stands for it, its size, and how it lies in memory. Declared by [`registers!`](crate::registers).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no block of registers",
    label = "`Registers` is not implemented for it",
    note = "declare the block: `registers! {{ {Self}: 0x100 {{ 0x00 => ro ID: u32, }} }}`",
    note = "a region whose size is known at run time only is mapped as `[u8]`"
)]
pub trait Registers: 'static {
    /// How many bytes the block covers. A region that is mapped as it must be as large at least.
    const SIZE: usize;

    /// The block may begin at any multiple of this: 1, 2, 4 or 8, and no less than its widest register. (A mapping begins at a multiple of 8.)
    const ALIGN: usize = 8;

    /// In which order the device keeps the bytes of a register.
    const ENDIAN: Endian = Endian::Little;
}

/// In which order a device keeps the bytes of its registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endian {
    /// The least significant first, as PCI devices do.
    Little,
    /// The most significant first.
    Big,
}

/// Something at a place in a block: a register, a nested block, a run of memory; or an array of such. Declared by
/// [`registers!`](crate::registers), as a type of its own and the only value of it.
///
/// An implementation that does not fit its block can be written, but not used: its use does not compile.
pub trait Item: Copy + 'static {
    /// Where it lies.
    type Block: Registers;
    /// What lies there.
    type Content: Content;
    /// How often.
    type Shape: Shape;
    /// From the start of the block, in bytes.
    const OFFSET: usize;
    /// What it is called.
    const NAME: &'static str;
}

/// What can lie in a block: [`Register`], [`SubBlock`], [`Memory`].
pub trait Content: sealed::Content + 'static {
    /// In bytes.
    const SIZE: usize;
    /// In bytes.
    const ALIGN: usize;
}

/// How often an item is there: [`One`] or [`Many`].
pub trait Shape: sealed::Shape + 'static {
    /// How often.
    const COUNT: usize;
    /// From the start of one to the start of the next, in bytes.
    const STRIDE: usize;
}

/// A register that holds a `V`, with an access right: [`ReadOnly`], [`WriteOnly`], [`ReadWrite`], [`ReadClears`] or [`WriteOneToClear`].
/// `NEVER_ONES` says that a device that is there never reads as all ones in it.
pub struct Register<V, A, const NEVER_ONES: bool = false>(Invariant<(V, A)>);

/// A block inside a block.
pub struct SubBlock<B>(Invariant<B>);

/// A run of `SIZE` bytes of device memory.
pub enum Memory<const SIZE: usize> {}

/// Once.
pub enum One {}

/// `COUNT` times, each `STRIDE` bytes after the one before.
pub enum Many<const COUNT: usize, const STRIDE: usize> {}

impl<V: RegisterValue + 'static, A: 'static, const NEVER_ONES: bool> Content
    for Register<V, A, NEVER_ONES>
{
    const SIZE: usize = mem::size_of::<V::Word>();
    const ALIGN: usize = mem::size_of::<V::Word>();
}

impl<B: Registers> Content for SubBlock<B> {
    const SIZE: usize = B::SIZE;
    const ALIGN: usize = B::ALIGN;
}

impl<const SIZE: usize> Content for Memory<SIZE> {
    const SIZE: usize = SIZE;
    const ALIGN: usize = REGION_ALIGN;
}

impl Shape for One {
    const COUNT: usize = 1;
    const STRIDE: usize = 0;
}

impl<const COUNT: usize, const STRIDE: usize> Shape for Many<COUNT, STRIDE> {
    const COUNT: usize = COUNT;
    const STRIDE: usize = STRIDE;
}

/// What each mapping, and each part of one, begins at a multiple of.
pub(crate) const REGION_ALIGN: usize = 8;

/// What is wrong with an item. The macro tells its name as well.
#[doc(hidden)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Misfit {
    Fits,
    Alignment,
    Misaligned,
    Outside,
    Empty,
    Stride,
}

/// Whether an item fits its block.
#[doc(hidden)]
#[must_use]
pub const fn misfit<I: Item>() -> Misfit {
    let block = <I::Block as Registers>::SIZE;
    let block_align = <I::Block as Registers>::ALIGN;
    let size = <I::Content as Content>::SIZE;
    let align = <I::Content as Content>::ALIGN;
    let count = <I::Shape as Shape>::COUNT;
    let stride = <I::Shape as Shape>::STRIDE;

    // Both alignments are powers of two, so that a multiple of the block's plus a multiple of the item's is a multiple of the item's.
    if !block_align.is_power_of_two() || block_align > REGION_ALIGN {
        return Misfit::Alignment;
    }
    if !align.is_power_of_two() || align > block_align {
        return Misfit::Alignment;
    }
    if I::OFFSET % align != 0 {
        return Misfit::Misaligned;
    }
    if count == 0 {
        return Misfit::Empty;
    }
    if count > 1 && (stride % align != 0 || stride < size) {
        return Misfit::Stride;
    }
    let Some(span) = (count - 1).checked_mul(stride) else {
        return Misfit::Outside;
    };
    let Some(last) = I::OFFSET.checked_add(span) else {
        return Misfit::Outside;
    };
    if size > block || last > block - size {
        return Misfit::Outside;
    }
    Misfit::Fits
}

/// An item fits its block, or this does not compile.
const fn fits<I: Item>() {
    assert!(
        matches!(misfit::<I>(), Misfit::Fits),
        "the item does not fit its block; declare it by `registers!`, which says why"
    );
}

/// A place in the block `R`: a single item, or an [`Element`] of an array.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no register of the block `{R}`",
    label = "not in `{R}`",
    note = "registers are declared in the block that they belong to: `registers! {{ {R}: 0x100 {{ 0x00 => ro ID: u32, }} }}`",
    note = "of an array, name the element: `{Self}.nth::<3>()`, or `{Self}.at(index)?`"
)]
pub trait Place<R>: Copy + sealed::Place {
    /// What lies there.
    type Content: Content;
    /// What is there, or what it is an element of.
    type Item: Item;

    /// Where it is in the block, in bytes.
    fn offset(self) -> usize;
}

#[diagnostic::do_not_recommend]
impl<I: Item<Shape = One>> Place<I::Block> for I {
    type Content = I::Content;
    type Item = I;

    #[inline(always)]
    fn offset(self) -> usize {
        const { fits::<I>() };
        I::OFFSET
    }
}

#[diagnostic::do_not_recommend]
impl<I: Item> Place<I::Block> for Element<I> {
    type Content = I::Content;
    type Item = I;

    #[inline(always)]
    fn offset(self) -> usize {
        self.offset
    }
}

/// An element of an array, which is there, or it could not be made.
pub struct Element<I> {
    /// In the block: that of an element of `I`, which fits.
    offset: usize,
    /// Invariant in `I`: two types may be subtypes of each other (`for<'a> fn(&'a u8)` and `fn(&'static u8)`), and be different items.
    _item: Invariant<I>,
}

impl<I> Clone for Element<I> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<I> Copy for Element<I> {}

impl<I: Item> Element<I> {
    /// The element number `INDEX`, from 0. An index that is too large does not compile.
    #[inline(always)]
    #[must_use]
    pub const fn nth<const INDEX: usize>() -> Self {
        const {
            fits::<I>();
            assert!(
                INDEX < <I::Shape as Shape>::COUNT,
                "the array has fewer elements"
            );
        }
        Element {
            offset: I::OFFSET + INDEX * <I::Shape as Shape>::STRIDE,
            _item: core::marker::PhantomData,
        }
    }

    /// The element number `index`, from 0, known at run time.
    ///
    /// # Errors
    /// [`Error::NoSuchElement`].
    #[inline]
    pub const fn at(index: usize) -> Result<Self, Error> {
        const { fits::<I>() };
        let count = <I::Shape as Shape>::COUNT;
        if index >= count {
            return Err(Error::NoSuchElement { index, count });
        }
        Ok(Element {
            offset: I::OFFSET + index * <I::Shape as Shape>::STRIDE,
            _item: PhantomData,
        })
    }

    /// All elements, first to last.
    pub fn all() -> impl DoubleEndedIterator<Item = Self> + ExactSizeIterator {
        const { fits::<I>() };
        (0..<I::Shape as Shape>::COUNT).map(|index| Element {
            offset: I::OFFSET + index * <I::Shape as Shape>::STRIDE,
            _item: PhantomData,
        })
    }
}

impl<I: Item> fmt::Debug for Element<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({:#x})", I::NAME, self.offset)
    }
}

mod sealed {
    use super::{Element, Item, Many, Memory, One, Register, SubBlock};

    pub trait Content {}
    impl<V, A, const NEVER_ONES: bool> Content for Register<V, A, NEVER_ONES> {}
    impl<B> Content for SubBlock<B> {}
    impl<const SIZE: usize> Content for Memory<SIZE> {}

    pub trait Shape {}
    impl Shape for One {}
    impl<const COUNT: usize, const STRIDE: usize> Shape for Many<COUNT, STRIDE> {}

    pub trait Place {}
    impl<I: Item<Shape = One>> Place for I {}
    impl<I> Place for Element<I> {}
}
