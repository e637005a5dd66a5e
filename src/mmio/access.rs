//! Who may do what with a register.

use crate::mmio::block::{Content, Register};
use crate::mmio::{RegisterValue, Word};

/// `ro`: can be read.
#[derive(Debug)]
pub enum ReadOnly {}
/// `wo`: can be written. What it reads as means nothing.
#[derive(Debug)]
pub enum WriteOnly {}
/// `rw`: can be read and written.
#[derive(Debug)]
pub enum ReadWrite {}
/// `rc`: a read takes away what is there (it clears the register, or moves a FIFO on), so none is made by the way: only [`Mmio::take`](crate::Mmio::take) does it.
#[derive(Debug)]
pub enum ReadClears {}
/// `w1c`: can be read; writing ones clears those bits ([`Mmio::clear`](crate::Mmio::clear)). A read-modify-write would clear everything that is set.
#[derive(Debug)]
pub enum WriteOneToClear {}

/// A register, as opposed to a nested block.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no register",
    label = "a nested block, or memory",
    note = "`regs.block(NAME)` is a handle to a nested block, with the registers inside it; `regs.memory(NAME)` is one to memory"
)]
pub trait Holds: Content {
    /// What it holds.
    type Value: RegisterValue;
    /// Whether a device that is there never reads as all ones in it.
    const NEVER_ONES: bool;
}

impl<V: RegisterValue + 'static, A: 'static, const NEVER_ONES: bool> Holds
    for Register<V, A, NEVER_ONES>
{
    type Value = V;
    const NEVER_ONES: bool = NEVER_ONES;
}

/// The word that a register is read and written as.
pub(crate) type WordOf<C> = <<C as Holds>::Value as RegisterValue>::Word;

macro_rules! rights {
    ($(
        $(#[$meta:meta])*
        $right:ident: $($access:ident),+;
    )*) => {$(
        $(#[$meta])*
        pub trait $right<I>: Holds {}
        #[diagnostic::do_not_recommend]
        impl<I, C: Holds + sealed::$right> $right<I> for C {}
        $(
            impl<V, const NEVER_ONES: bool> sealed::$right for Register<V, $access, NEVER_ONES> {}
        )+
    )*};
}

rights! {
    /// Can be read without an effect.
    #[diagnostic::on_unimplemented(
        message = "the register `{I}` cannot be read",
        label = "declared as `{Self}`",
        note = "a `wo` register has nothing to read; one that a read clears (`rc`) is read by `take`"
    )]
    Readable: ReadOnly, ReadWrite, WriteOneToClear;

    /// Can be written with any value.
    #[diagnostic::on_unimplemented(
        message = "the register `{I}` cannot be written",
        label = "declared as `{Self}`",
        note = "bits of a `w1c` register are cleared by `clear`; `ro` and `rc` registers are only read"
    )]
    Writable: WriteOnly, ReadWrite;

    /// Can be read, changed, and written back.
    #[diagnostic::on_unimplemented(
        message = "the register `{I}` cannot be modified",
        label = "declared as `{Self}`",
        note = "only a `rw` register reads what is to be written back: on a `w1c` one that would clear all that is set (use `clear`)"
    )]
    Modifiable: ReadWrite;

    /// A read takes away what is there.
    #[diagnostic::on_unimplemented(
        message = "a read takes nothing away from the register `{I}`",
        label = "declared as `{Self}`, not as `rc`",
        note = "it is read by `read`"
    )]
    ClearedByRead: ReadClears;

    /// Has its bits cleared by writing ones.
    #[diagnostic::on_unimplemented(
        message = "the bits of the register `{I}` are not cleared by writing ones",
        label = "declared as `{Self}`, not as `w1c`"
    )]
    ClearedByOnes: WriteOneToClear;
}

/// Never reads as all ones while the device is there.
#[diagnostic::on_unimplemented(
    message = "the register `{I}` does not tell whether the device is there",
    label = "all ones may be a value of it",
    note = "if it never reads as all ones, say so in its declaration: `ro {I}: u32 where !0 is gone`"
)]
pub trait TellsGone<I>: Holds {}

impl<V, A> sealed::TellsGone for Register<V, A, true> {}

#[diagnostic::do_not_recommend]
impl<I, C: Holds + sealed::TellsGone> TellsGone<I> for C {}

/// Whether a word has all its bits set, and its register never would.
pub(crate) fn tells_gone<C: Holds>(word: WordOf<C>) -> bool {
    C::NEVER_ONES && word.to_u64() == WordOf::<C>::ONES.to_u64()
}

/// Compiles for an access right that there is.
#[doc(hidden)]
pub const fn has_right<A, I>()
where
    (): AccessRight<A, I>,
{
}

/// Implemented by nothing: `registers!` asks for it of what it does not know.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{A}` is no access right for the register `{I}`",
    label = "neither `ro`, `wo`, `rw`, `rc` nor `w1c`",
    note = "`ro`, `wo`, `rw`: read, write, both; `rc`: a read clears it; `w1c`: writing ones clears those bits",
    note = "what is no register is `block NAME: BLOCK`, `block NAME: [BLOCK; COUNT; stride BYTES]` or `memory NAME: [u8; SIZE]`"
)]
pub trait AccessRight<A, I> {}

/// What a register was declared with. The traits above are implemented for what implements these, and so for nothing else: without them, a driver could
/// implement `Readable<I>` for any register, since `I` may be a type of its own.
mod sealed {
    pub trait Readable {}
    pub trait Writable {}
    pub trait Modifiable {}
    pub trait ClearedByRead {}
    pub trait ClearedByOnes {}
    pub trait TellsGone {}
}
