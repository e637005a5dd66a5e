//! What does not fit its block, each reason alone. The compile-fail tests show that it is asked; these, what it answers.

use driver_scope::mmio::{
    misfit, Item, Many, Memory, Misfit, Misfit::*, One, ReadWrite, Register, SubBlock,
};
use driver_scope::Registers;

/// What is wrong with an item of this content and shape, at this offset of a block of this size and alignment.
macro_rules! misfit {
    (($size:expr, align $align:expr), $offset:expr, $content:ty $(, $shape:ty)?) => {{
        enum Around {}
        impl Registers for Around {
            const SIZE: usize = $size;
            const ALIGN: usize = $align;
        }
        #[derive(Clone, Copy)]
        struct It;
        impl Item for It {
            type Block = Around;
            type Content = $content;
            type Shape = misfit!(shape $($shape)?);
            const OFFSET: usize = $offset;
            const NAME: &'static str = "IT";
        }
        misfit::<It>()
    }};
    (shape) => { One };
    (shape $shape:ty) => { $shape };
}

type U8 = Register<u8, ReadWrite>;
type U16 = Register<u16, ReadWrite>;
type U32 = Register<u32, ReadWrite>;
type U64 = Register<u64, ReadWrite>;

/// A nested block of a size and an alignment.
enum Nested<const SIZE: usize, const ALIGN: usize> {}
impl<const SIZE: usize, const ALIGN: usize> Registers for Nested<SIZE, ALIGN> {
    const SIZE: usize = SIZE;
    const ALIGN: usize = ALIGN;
}
type Block<const SIZE: usize, const ALIGN: usize> = SubBlock<Nested<SIZE, ALIGN>>;

#[test]
fn what_fits_fits() {
    let fit: [Misfit; 15] = [
        misfit!((8, align 8), 0, U64),
        misfit!((4, align 4), 0, U32),
        misfit!((6, align 2), 4, U16),
        misfit!((1, align 1), 0, U8),
        misfit!((7, align 8), 6, U8),
        misfit!((0x100, align 8), 0xfc, U32),
        misfit!((0x100, align 8), 0xf0, Block<16, 8>),
        misfit!((0x100, align 4), 0xfc, Block<3, 4>),
        misfit!((0x100, align 8), 0xf8, Memory<8>),
        misfit!((0x100, align 8), 0x100, Memory<0>),
        misfit!((0x100, align 8), 0xf0, U32, Many<4, 4>),
        misfit!((0x100, align 8), 0x0, U16, Many<8, 0x20>),
        // The last need not be followed by a whole stride.
        misfit!((0x24, align 4), 0, U32, Many<2, 0x20>),
        // The stride of a single one is nobody's business.
        misfit!((4, align 4), 0, U32, Many<1, 3>),
        misfit!((usize::MAX, align 8), usize::MAX - 7, U32),
    ];
    assert_eq!(fit, [Fits; 15]);
}

#[test]
fn the_alignment_of_a_block_is_1_2_4_or_8() {
    let misfits = [
        misfit!((64, align 0), 0, U8),
        misfit!((64, align 3), 0, U8),
        misfit!((64, align 6), 0, U8),
        misfit!((64, align 16), 0, U8),
        misfit!((64, align 8), 0, Block<8, 0>),
        misfit!((64, align 8), 0, Block<8, 3>),
        misfit!((64, align 8), 0, Block<8, 6>),
    ];
    assert_eq!(misfits, [Alignment; 7]);
}

#[test]
fn a_block_is_aligned_as_what_is_in_it() {
    let misfits = [
        misfit!((64, align 4), 0, U64),
        misfit!((64, align 2), 0, U32),
        misfit!((64, align 1), 0, U16),
        misfit!((64, align 4), 0, Block<8, 8>),
        misfit!((64, align 4), 0, Memory<8>),
        misfit!((64, align 4), 0, U64, Many<2, 8>),
    ];
    assert_eq!(misfits, [Alignment; 6]);
}

#[test]
fn an_offset_is_a_multiple_of_the_alignment() {
    let misfits = [
        misfit!((64, align 8), 4, U64),
        misfit!((64, align 8), 2, U32),
        misfit!((64, align 8), 1, U16),
        misfit!((64, align 8), 2, Block<8, 4>),
        misfit!((64, align 8), 4, Memory<8>),
        misfit!((64, align 8), 1, U32, Many<2, 4>),
    ];
    assert_eq!(misfits, [Misaligned; 6]);
}

#[test]
fn an_array_has_elements() {
    assert_eq!(misfit!((64, align 8), 0, U32, Many<0, 4>), Empty);
}

#[test]
fn elements_do_not_overlap_and_are_aligned() {
    let misfits = [
        misfit!((64, align 8), 0, U32, Many<2, 0>),
        misfit!((64, align 8), 0, U32, Many<2, 6>),
        misfit!((64, align 8), 0, U16, Many<2, 3>),
        misfit!((64, align 8), 0, Block<12, 4>, Many<2, 8>),
        misfit!((64, align 8), 0, Block<8, 8>, Many<2, 12>),
    ];
    assert_eq!(misfits, [Stride; 5]);
    // Each of the two reasons alone.
    assert_eq!(misfit!((64, align 8), 0, Block<8, 4>, Many<2, 4>), Stride);
    assert_eq!(misfit!((64, align 8), 0, Block<2, 4>, Many<2, 2>), Stride);
}

#[test]
fn what_begins_inside_ends_inside() {
    let misfits = [
        misfit!((4, align 4), 4, U32),
        misfit!((6, align 4), 4, U32),
        misfit!((3, align 4), 0, U32),
        misfit!((0, align 8), 0, U8),
        misfit!((0x100, align 8), 0xf8, Block<9, 8>),
        misfit!((0x100, align 8), 0, Memory<0x101>),
        misfit!((0x100, align 8), 0x108, Memory<0>),
        misfit!((0x100, align 8), 0xf0, U32, Many<5, 4>),
        misfit!((0x23, align 4), 0, U32, Many<2, 0x20>),
        misfit!((64, align 8), usize::MAX - 7, U64),
    ];
    assert_eq!(misfits, [Outside; 10]);
}

/// Numbers whose sum or product would wrap to something small.
#[test]
fn no_number_wraps() {
    const HALF: usize = usize::MAX / 2 + 1;
    let misfits = [
        // The span is twice half of all: 0.
        misfit!((64, align 8), 0, U32, Many<3, HALF>),
        // The span and the offset.
        misfit!((64, align 8), HALF, U32, Many<2, HALF>),
        misfit!((64, align 8), 8, U64, Many<2, { usize::MAX - 7 }>),
        // The size is larger than the block, which less the size is huge.
        misfit!((4, align 8), 8, Memory<12>),
    ];
    assert_eq!(misfits, [Outside; 4]);
}

#[test]
fn misfits_are_told_apart() {
    assert!(Outside.is_not(Empty) && Empty.is_not(Outside) && Fits.is_not(Stride));
    assert!(!Outside.is_not(Outside) && !Fits.is_not(Fits));
}
