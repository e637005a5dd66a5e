use crate::mmio::Word;

/// What a register holds: an integer, or a type that gives its fields names.
///
/// Fields are the business of crates that do that well. A type of any of them becomes a `RegisterValue` by
/// [`register_values!`](crate::register_values), which is told what its conversions are called.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no value of a register",
    label = "neither `u8`, `u16`, `u32`, `u64` nor a `RegisterValue`",
    note = "a type with named fields becomes one: `register_values! {{ {Self}: u32 = from_bits_retain, bits }}`",
    note = "an array of registers has a stride: `[u32; 4; stride 4]`"
)]
pub trait RegisterValue: Copy {
    /// Its width.
    type Word: Word;

    /// The value of what the register reads as.
    fn from_word(word: Self::Word) -> Self;

    /// What is written for the value.
    fn to_word(self) -> Self::Word;
}

macro_rules! word {
    ($($word:ty),*) => {$(
        #[diagnostic::do_not_recommend]
        impl RegisterValue for $word {
            type Word = $word;
            #[inline(always)]
            fn from_word(word: $word) -> $word {
                word
            }
            #[inline(always)]
            fn to_word(self) -> $word {
                self
            }
        }
    )*};
}

word!(u8, u16, u32);
#[cfg(target_pointer_width = "64")]
word!(u64);

/// Makes types with named fields [`RegisterValue`](crate::RegisterValue)s: for each its width, and what its two conversions are called.
///
/// | crate | conversions |
/// |---|---|
/// | bitflags | `from_bits_retain, bits` |
/// | bitbybit | `new_with_raw_value, raw_value` |
/// | bitfield-struct | `from_bits, into_bits` |
/// | tock-registers, in a type of one's own (`examples/tock.rs`) | `new, get` |
///
/// ```
/// #[derive(Clone, Copy, PartialEq)]
/// pub struct Status(u32);
///
/// impl Status {
///     fn from_bits(bits: u32) -> Self { Status(bits) }
///     fn bits(self) -> u32 { self.0 }
///     pub fn computing(self) -> bool { self.0 & 1 != 0 }
/// }
/// driver_scope::register_values! { Status: u32 = from_bits, bits }
/// ```
#[macro_export]
macro_rules! register_values {
    ($($value:ty : $word:ty = $from:ident, $to:ident);+ $(;)?) => {$(
        impl $crate::RegisterValue for $value {
            type Word = $word;
            #[inline(always)]
            fn from_word(word: $word) -> Self {
                <$value>::$from(word)
            }
            #[inline(always)]
            fn to_word(self) -> $word {
                self.$to()
            }
        }
    )+};
}
