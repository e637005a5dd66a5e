//! Blocks of registers, and what lies in them where.

use core::any::TypeId;
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

    /// What lies in it, for what shows it: [`registers!`](crate::registers) lists it. No access needs it.
    #[doc(hidden)]
    const ITEMS: &'static [Described] = &[];
}

/// An [`Item`], as a value.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Described {
    pub name: &'static str,
    pub offset: usize,
    /// Of one.
    pub size: usize,
    pub count: usize,
    pub stride: usize,
    pub what: What,
    pub misfit: Misfit,
}

/// A [`Content`], as a value.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub enum What {
    /// The access right is a type.
    Register {
        access: fn() -> TypeId,
    },
    Block {
        endian: Endian,
        items: &'static [Described],
    },
    Memory,
}

/// An item, as a value.
#[doc(hidden)]
#[must_use]
pub const fn described<I: Item<Content: Content>>() -> Described {
    Described {
        name: I::NAME,
        offset: I::OFFSET,
        size: <I::Content as Content>::SIZE,
        count: <I::Shape as Shape>::COUNT,
        stride: <I::Shape as Shape>::STRIDE,
        what: <I::Content as Content>::WHAT,
        misfit: misfit::<I>(),
    }
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
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no register",
    label = "declared by no `registers!`",
    note = "a register is declared in its block, `registers! {{ Uart: 0x100 {{ 0x00 => ro STATUS: u32, }} }}`, and used by its name, `STATUS`",
    note = "the element of an array is `NAME.nth::<3>()`, or `NAME.at(index)?`, which is checked",
    note = "if the offset is known at run time only, map the region as `[u8]` and use `try_read` and `try_write`"
)]
pub trait Item: Copy + 'static {
    /// Where it lies.
    type Block: Registers;
    /// What lies there: a [`Content`].
    type Content: 'static;
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
    /// The same, as a value.
    #[doc(hidden)]
    const WHAT: What = What::Memory;
}

/// How often an item is there: [`One`] or [`Many`].
pub trait Shape: sealed::Shape + 'static {
    /// How often.
    const COUNT: usize;
    /// From the start of one to the start of the next, in bytes.
    const STRIDE: usize;
}

/// A register that holds a `V`, with an access right: [`ReadOnly`](crate::mmio::ReadOnly), [`WriteOnly`](crate::mmio::WriteOnly), [`ReadWrite`](crate::mmio::ReadWrite),
/// [`ReadClears`](crate::mmio::ReadClears) or [`WriteOneToClear`](crate::mmio::WriteOneToClear).
/// `NEVER_ONES` says that a device that is there never reads as all ones in it.
#[derive(Debug)]
pub struct Register<V, A, const NEVER_ONES: bool = false>(Invariant<(V, A)>);

/// A block inside a block.
#[derive(Debug)]
pub struct SubBlock<B>(Invariant<B>);

/// A run of `SIZE` bytes of device memory.
#[derive(Debug)]
pub enum Memory<const SIZE: usize> {}

/// Once.
#[derive(Debug)]
pub enum One {}

/// `COUNT` times, each `STRIDE` bytes after the one before.
#[derive(Debug)]
pub enum Many<const COUNT: usize, const STRIDE: usize> {}

impl<V: RegisterValue + 'static, A: 'static, const NEVER_ONES: bool> Content
    for Register<V, A, NEVER_ONES>
{
    const SIZE: usize = mem::size_of::<V::Word>();
    const ALIGN: usize = mem::size_of::<V::Word>();
    const WHAT: What = What::Register {
        access: TypeId::of::<A>,
    };
}

impl<B: Registers> Content for SubBlock<B> {
    const SIZE: usize = B::SIZE;
    const ALIGN: usize = B::ALIGN;
    const WHAT: What = What::Block {
        endian: B::ENDIAN,
        items: B::ITEMS,
    };
}

impl<const SIZE: usize> Content for Memory<SIZE> {
    const SIZE: usize = SIZE;
    const ALIGN: usize = REGION_ALIGN;
    const WHAT: What = What::Memory;
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

/// What is wrong with an item.
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

impl Misfit {
    /// Whether it is another one.
    #[must_use]
    pub const fn is_not(self, other: Misfit) -> bool {
        self as u8 != other as u8
    }
}

/// Whether an item fits its block.
#[doc(hidden)]
#[must_use]
pub const fn misfit<I: Item<Content: Content>>() -> Misfit {
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

/// An item fits its block, or this does not compile. (The compiler points at the caller.)
#[track_caller]
const fn fits<I: Item<Content: Content>>() {
    assert!(
        matches!(misfit::<I>(), Misfit::Fits),
        "the item does not fit its block; declare it by `registers!`, which says why"
    );
}

/// A place in the block `R`: a single item, or an [`Element`] of an array.
///
/// Sealed, for each block by itself: where a place lies is trusted.
pub trait Place<R>: Copy + sealed::Place<R> {
    /// What lies there.
    type Content: Content;
    /// What is there, or what it is an element of.
    type Item: Item;

    /// Where it is in the block, in bytes.
    fn offset(self) -> usize;
}

impl<R, G: sealed::Placed> Place<R> for G
where
    (): sealed::BlockOf<G::Item, <G::Item as Item>::Block, R>,
{
    type Content = G::Content;
    type Item = G::Item;

    #[inline(always)]
    fn offset(self) -> usize {
        sealed::Placed::offset(self)
    }
}

impl<I: Item<Content: Content>> sealed::Placed for I
where
    I::Shape: sealed::Single<I>,
{
    type Item = I;
    type Content = I::Content;

    #[inline(always)]
    fn offset(self) -> usize {
        const { fits::<I>() };
        I::OFFSET
    }
}

impl<I: Item<Content: Content>> sealed::Placed for Element<I> {
    type Item = I;
    type Content = I::Content;

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

impl<I: Item<Content: Content>> Element<I> {
    /// The element number `INDEX`, from 0. An index that is too large does not compile.
    #[inline(always)]
    #[must_use]
    pub const fn nth<const INDEX: usize>() -> Self {
        const {
            fits::<I>();
            is_there(INDEX, <I::Shape as Shape>::COUNT);
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

/// There is such an element, or this does not compile. (The compiler points at the caller.)
#[track_caller]
const fn is_there(index: usize, count: usize) {
    assert!(index < count, "the array has fewer elements");
}

impl<I: Item> fmt::Debug for Element<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({:#x})", I::NAME, self.offset)
    }
}

mod sealed {
    use super::{Item, Many, Memory, One, Register, SubBlock};

    pub trait Content {}
    impl<V, A, const NEVER_ONES: bool> Content for Register<V, A, NEVER_ONES> {}
    impl<B> Content for SubBlock<B> {}
    impl<const SIZE: usize> Content for Memory<SIZE> {}

    pub trait Shape {}
    impl Shape for One {}
    impl<const COUNT: usize, const STRIDE: usize> Shape for Many<COUNT, STRIDE> {}

    /// What lies in some block.
    pub trait Placed: Copy {
        type Item: Item;
        type Content: super::Content;
        fn offset(self) -> usize;
    }

    /// With the block as a parameter: else `impl Place<Mine> for THEIRS` were in order.
    pub trait Place<R> {}
    impl<R, G: Placed> Place<R> for G where (): BlockOf<G::Item, <G::Item as Item>::Block, R> {}

    /// `I` belongs to `B`, and that is `R`. (`Item<Block = R>` would say the same, and the compiler's message would not say what to do.)
    #[diagnostic::on_unimplemented(
        message = "`{I}` belongs to the block `{B}`, not to `{R}`",
        label = "`{I}` is not in `{R}`",
        note = "use it on a handle to `{B}`"
    )]
    pub trait BlockOf<I, B, R> {}
    impl<I, R> BlockOf<I, R, R> for () {}

    /// [`One`].
    #[diagnostic::on_unimplemented(
        message = "`{I}` is an array, of which an element is to be named",
        label = "which element of `{I}`?",
        note = "name it: `{I}.nth::<3>()`, or `{I}.at(index)?` if the index is known at run time only; `{I}.all()` are all of them"
    )]
    pub trait Single<I> {}
    impl<I> Single<I> for One {}
}
