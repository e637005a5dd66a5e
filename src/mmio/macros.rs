/// Declares blocks of registers, as the device's specification lists them: offset, access right, name, type.
///
/// ```
/// # #![forbid(unsafe_code)]
/// use driver_scope::registers;
///
/// registers! {
///     /// A UART with four channels.
///     pub Uart: 0x1000 {
///         /// Identification.
///         0x000 => ro ID: u32 where !0 is gone,
///         /// Interrupt causes; writing ones acknowledges them.
///         0x004 => w1c CAUSES: u16,
///         /// The channels.
///         0x100 => block CHANNEL: [Channel; 4; stride 0x40],
///         /// What has been received.
///         0x800 => memory BUFFER: [u8; 0x800],
///     }
///
///     /// One channel.
///     pub Channel: 0x40 {
///         /// Data to be sent.
///         0x00 => wo DATA: u8,
///         /// Errors so far; reading clears it.
///         0x04 => rc ERRORS: u32,
///         /// The last eight characters' states.
///         0x10 => ro STATE: [u8; 8; stride 1],
///     }
/// }
/// ```
///
/// For each block that is a type, which implements [`Registers`](crate::Registers), and for each item a type and its only value, which implements
/// [`Item`](crate::mmio::Item). That an item is aligned and lies inside its block is checked where it is declared, by
/// `const` evaluation: in each build, whether used or not.
///
/// # Access rights
/// | | | |
/// |---|---|---|
/// | `ro` | read only | [`read`](crate::Mmio::read) |
/// | `wo` | write only | [`write`](crate::Mmio::write) |
/// | `rw` | both | `read`, `write`, [`modify`](crate::Mmio::modify) |
/// | `rc` | a read takes away what is there | [`take`](crate::Mmio::take) |
/// | `w1c` | writing ones clears those bits | `read`, [`clear`](crate::Mmio::clear) |
/// | `block` | a nested block | [`block`](crate::Mmio::block) |
/// | `memory` | a run of bytes | [`memory`](crate::Mmio::memory) |
///
/// # Types
/// A register holds an integer (`u8` to `u64`) or any [`RegisterValue`](crate::RegisterValue). Arrays are `[T; COUNT; stride BYTES]`; an element is
/// `NAME.nth::<3>()`, or `NAME.at(index)?` if the index is known at run time only.
///
/// `where !0 is gone` says that a device that is there never reads as all ones in this register, so
/// that one that has been pulled out can be told: see [`read_or_gone`](crate::Mmio::read_or_gone) and [`poll`](crate::Mmio::poll).
///
/// # Blocks
/// After the size a block may say `align 4` if it may lie at multiples of 4 only (it then has no wider register; else 8), and `big endian` for a device that
/// keeps the most significant byte first.
///
/// A right belongs to the declaration, not to the place in the device: who declares another block, or by hand another [`Item`](crate::mmio::Item), for the same registers
/// has the rights that are declared there.
///
/// A block of more than some 120 items needs `#![recursion_limit = "256"]`, or more, in its crate.
#[macro_export]
macro_rules! registers {
    ($(
        $(#[$meta:meta])*
        $vis:vis $block:ident : $size:tt $(align $align:literal)? $(big $endian:ident)? {
            $($items:tt)*
        }
    )+) => {$(
        $(#[$meta])*
        $vis enum $block {}
        impl $crate::Registers for $block {
            const SIZE: usize = $size;
            $(const ALIGN: usize = $align;)?
            $(const ENDIAN: $crate::mmio::Endian = $crate::__big!($endian);)?
            const ITEMS: &'static [$crate::mmio::Described] = $crate::__table!([] $($items)*);
        }
        $crate::__items! { $vis $block; $($items)* }
    )+};
}

#[doc(hidden)]
#[macro_export]
macro_rules! __big {
    (endian) => {
        $crate::mmio::Endian::Big
    };
    ($other:ident) => {
        ::core::compile_error!(::core::concat!(
            "`big ",
            ::core::stringify!($other),
            "`: of a device that keeps the most significant byte first, say `big endian`"
        ))
    };
}

/// All items, as values. (What is wrong with one is told elsewhere, once.)
#[doc(hidden)]
#[macro_export]
macro_rules! __table {
    ([$($name:tt)*]) => {
        &[$($name::__DESCRIBED),*]
    };
    ([$($before:tt)*] $(#[$meta:meta])* $offset:literal => $access:tt $name:tt : [$value:ty; $count:expr; stride $stride:expr] $(where !0 is $gone:ident)? $(, $($rest:tt)*)?) => {
        $crate::__table!([$($before)* $name] $($($rest)*)?)
    };
    ([$($before:tt)*] $(#[$meta:meta])* $offset:literal => $access:tt $name:tt : $value:ty $(where !0 is $gone:ident)? $(, $($rest:tt)*)?) => {
        $crate::__table!([$($before)* $name] $($($rest)*)?)
    };
    ([$($before:tt)*] $($wrong:tt)*) => {
        &[]
    };
}

/// One item after the other.
#[doc(hidden)]
#[macro_export]
macro_rules! __items {
    ($vis:vis $block:ident;) => {};

    // Nested blocks and memory, in arrays and single.
    ($vis:vis $block:ident; $(#[$meta:meta])* $offset:literal => block $name:tt : [$inner:ty; $count:expr; stride $stride:expr] $(, $($rest:tt)*)?) => {
        $crate::__item! { $(#[$meta])* $vis $block $offset, $name, $crate::mmio::SubBlock<$inner>, $crate::mmio::Many<{ $count }, { $stride }> }
        $crate::__array! { $name $vis }
        $crate::__items! { $vis $block; $($($rest)*)? }
    };
    ($vis:vis $block:ident; $(#[$meta:meta])* $offset:literal => block $name:tt : $inner:ty $(, $($rest:tt)*)?) => {
        $crate::__item! { $(#[$meta])* $vis $block $offset, $name, $crate::mmio::SubBlock<$inner>, $crate::mmio::One }
        $crate::__items! { $vis $block; $($($rest)*)? }
    };
    ($vis:vis $block:ident; $(#[$meta:meta])* $offset:literal => memory $name:tt : [u8; $size:expr] $(, $($rest:tt)*)?) => {
        $crate::__item! { $(#[$meta])* $vis $block $offset, $name, $crate::mmio::Memory<{ $size }>, $crate::mmio::One }
        $crate::__items! { $vis $block; $($($rest)*)? }
    };

    // Registers, in arrays and single.
    ($vis:vis $block:ident; $(#[$meta:meta])* $offset:literal => $access:tt $name:tt : [$value:ty; $count:expr; stride $stride:expr] $(where !0 is $gone:ident)? $(, $($rest:tt)*)?) => {
        $crate::__item! { $(#[$meta])* $vis $block $offset, $name,
            $crate::mmio::Register<$value, $crate::__access!($access), { $crate::__gone!($($gone)?) }>, $crate::mmio::Many<{ $count }, { $stride }> }
        $crate::__array! { $name $vis }
        $crate::__right! { $access $name }
        $crate::__items! { $vis $block; $($($rest)*)? }
    };
    ($vis:vis $block:ident; $(#[$meta:meta])* $offset:literal => $access:tt $name:tt : $value:ty $(where !0 is $gone:ident)? $(, $($rest:tt)*)?) => {
        $crate::__item! { $(#[$meta])* $vis $block $offset, $name,
            $crate::mmio::Register<$value, $crate::__access!($access), { $crate::__gone!($($gone)?) }>, $crate::mmio::One }
        $crate::__right! { $access $name }
        $crate::__items! { $vis $block; $($($rest)*)? }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __gone {
    () => {
        false
    };
    (gone) => {
        true
    };
    ($other:ident) => {
        ::core::compile_error!(::core::concat!(
            "`where !0 is ",
            ::core::stringify!($other),
            "`: of a register that never reads as all ones, say `where !0 is gone`"
        ))
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __access {
    (ro) => {
        $crate::mmio::ReadOnly
    };
    (wo) => {
        $crate::mmio::WriteOnly
    };
    (rw) => {
        $crate::mmio::ReadWrite
    };
    (rc) => {
        $crate::mmio::ReadClears
    };
    (w1c) => {
        $crate::mmio::WriteOneToClear
    };
    ($unknown:tt) => {
        $crate::mmio::ReadWrite
    };
}

/// Refuses what is no access right. Not by `compile_error!`, for which the compiler would point at the whole `registers!`.
#[doc(hidden)]
#[macro_export]
macro_rules! __right {
    (ro $name:tt) => {};
    (wo $name:tt) => {};
    (rw $name:tt) => {};
    (rc $name:tt) => {};
    (w1c $name:tt) => {};
    ($unknown:tt $name:tt) => {
        const _: () = {
            #[allow(non_camel_case_types)]
            enum $unknown {}
            $crate::mmio::has_right::<$unknown, $name>();
        };
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __item {
    ($(#[$meta:meta])* $vis:vis $block:ident $offset:literal, $name:tt, $content:ty, $shape:ty) => {
        $(#[$meta])*
        #[allow(non_camel_case_types)]
        #[derive(Clone, Copy, Debug)]
        $vis struct $name;
        impl $crate::mmio::Item for $name {
            type Block = $block;
            type Content = $content;
            type Shape = $shape;
            const OFFSET: usize = $offset;
            const NAME: &'static str = ::core::stringify!($name);
        }
        impl $name {
            #[doc(hidden)]
            const __DESCRIBED: $crate::mmio::Described = $crate::mmio::described::<$name>();
        }
        const _: () = {
            const MISFIT: $crate::mmio::Misfit = $name::__DESCRIBED.misfit;
            $crate::mmio::declared::<
                $name,
                { MISFIT.is_not($crate::mmio::Misfit::Alignment) },
                { MISFIT.is_not($crate::mmio::Misfit::Misaligned) },
                { MISFIT.is_not($crate::mmio::Misfit::Outside) },
                { MISFIT.is_not($crate::mmio::Misfit::Empty) },
                { MISFIT.is_not($crate::mmio::Misfit::Stride) },
            >();
        };
    };
}

/// What only arrays have.
#[doc(hidden)]
#[macro_export]
macro_rules! __array {
    ($name:tt $vis:vis) => {
        #[allow(dead_code)]
        impl $name {
            /// The element number `INDEX`, from 0. One that is not there does not compile.
            #[inline(always)]
            $vis const fn nth<const INDEX: usize>(self) -> $crate::mmio::Element<Self> {
                const { $crate::mmio::Element::nth::<{ INDEX }>() }
            }
            /// The element number `index`, from 0; [`NoSuchElement`](driver_scope::Error::NoSuchElement) if it is not there.
            #[inline]
            $vis const fn at(self, index: usize) -> ::core::result::Result<$crate::mmio::Element<Self>, $crate::Error> {
                $crate::mmio::Element::at(index)
            }
            /// All elements, first to last.
            $vis fn all(self) -> impl ::core::iter::DoubleEndedIterator<Item = $crate::mmio::Element<Self>> + ::core::iter::ExactSizeIterator {
                $crate::mmio::Element::all()
            }
        }
    };
}
