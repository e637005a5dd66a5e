//! How large a wheel is.

use super::slot::Slot;

/// How large a [`Queue`](crate::timer::queue::Queue) is: the more bits a digit has, the more memory it takes, and the fewer times a node moves.
pub trait Size: sealed::Size {
    /// How many bits a digit has.
    #[doc(hidden)]
    const BITS: u32;
    /// A slot for each value of each digit.
    #[doc(hidden)]
    type Slots: sealed::Slots;
}

/// Digits of 2 bits: 3.5 KiB on a machine of 64 bits. A timer that is far off moves up to 31 times.
#[derive(Debug)]
pub enum Small {}
/// Digits of 4 bits: 6.5 KiB. Up to 15 times.
#[derive(Debug)]
pub enum Medium {}
/// Digits of 6 bits: 17 KiB. Up to 10 times.
#[derive(Debug)]
pub enum Large {}

macro_rules! sizes {
    ($($size:ident: $bits:literal;)*) => {$(
        impl sealed::Size for $size {}
        impl Size for $size {
            const BITS: u32 = $bits;
            type Slots = [[Slot; 1 << $bits]; 64_usize.div_ceil($bits)];
        }
        impl sealed::Slots for [[Slot; 1 << $bits]; 64_usize.div_ceil($bits)] {
            const EMPTY: Self = [const { [const { Slot::EMPTY }; 1 << $bits] }; 64_usize.div_ceil($bits)];
            #[inline(always)]
            fn as_slots(&mut self) -> &mut [Slot] {
                self.as_flattened_mut()
            }
        }
    )*};
}

sizes! {
    Small: 2;
    Medium: 4;
    Large: 6;
}

pub(super) mod sealed {
    pub trait Size {}
    // Public, since a type of `Size` is bounded by it: this is not seen by the lint, which a kernel's build turns on.
    #[allow(unreachable_pub)]
    pub trait Slots {
        const EMPTY: Self;
        fn as_slots(&mut self) -> &mut [super::Slot];
    }
}
