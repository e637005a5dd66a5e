//! Types with a lifetime, for any lifetime.

use core::marker::PhantomData;

use crate::mmio::{Extent, Mmio};
use crate::platform::Platform;
use crate::timer::HrTimer;

/// A type with a lifetime, for any lifetime: what a [`Devres`](crate::Devres) holds.
///
/// `Mmio<'static, R, P>` stands for `Mmio<'a, R, P>` with any `'a`, likewise `HrTimer<'static, P>` and `&'static T`; [`Plain<T>`] is a type without one. A
/// struct of handles is named in the same way, by `Handles<'static, P>`:
///
/// ```
/// use driver_scope::{Family, HrTimer, Mmio, Platform};
/// # driver_scope::registers! { Regs: 8 {} }
/// struct Handles<'a, P: Platform> {
///     regs: Mmio<'a, Regs, P>,
///     timer: HrTimer<'a, P>,
/// }
/// impl<P: Platform> Family for Handles<'_, P> {
///     type At<'a> = Handles<'a, P>;
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the name of a family of types, one for each lifetime",
    label = "`Family` is not implemented for it",
    note = "write the type with `'static` in place of its lifetime: `Devres<Mmio<'static, Regs, P>, P>`",
    note = "a type without a lifetime: `Devres<Plain<T>, P>`; one of your own: `impl Family for Own<'_> {{ type At<'a> = Own<'a>; }}`"
)]
pub trait Family {
    /// The type, at one lifetime.
    type At<'a>: Send + Sync;
}

/// A family whose lifetime can be shortened, so that a guard can lend its member: most are. The body is `x`, and the compiler checks it.
///
/// ```
/// # use driver_scope::{Covariant, Family};
/// # struct Name<'a>(&'a str);
/// # impl Family for Name<'_> { type At<'a> = Name<'a>; }
/// impl Covariant for Name<'_> {
///     fn shorten<'s, 'l: 's>(x: &'s Name<'l>) -> &'s Name<'s> { x }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "the lifetime of `{Self}` is not known to be one that can be shortened; `try_access_with` works for every type",
    label = "`Covariant` is not implemented for it",
    note = "or let the compiler check it: `impl Covariant for {Self} {{ fn shorten<'s, 'l: 's>(x: &'s Self::At<'l>) -> &'s Self::At<'s> {{ x }} }}`"
)]
pub trait Covariant: Family {
    /// Shortens a borrowed member's lifetime to that of the borrow.
    fn shorten<'s, 'l: 's>(x: &'s Self::At<'l>) -> &'s Self::At<'s>;
}

// For any lifetime of their own, although a `Devres` is only ever made of the `'static` ones: inside a future the compiler forgets which it was.
impl<R: Extent + ?Sized, P: Platform> Family for Mmio<'_, R, P> {
    type At<'a> = Mmio<'a, R, P>;
}
impl<R: Extent + ?Sized, P: Platform> Covariant for Mmio<'_, R, P> {
    #[inline(always)]
    fn shorten<'s, 'l: 's>(x: &'s Mmio<'l, R, P>) -> &'s Mmio<'s, R, P> {
        x
    }
}

impl<P: Platform> Family for HrTimer<'_, P> {
    type At<'a> = HrTimer<'a, P>;
}
impl<P: Platform> Covariant for HrTimer<'_, P> {
    fn shorten<'s, 'l: 's>(x: &'s HrTimer<'l, P>) -> &'s HrTimer<'s, P> {
        x
    }
}

impl<T: Sync + 'static> Family for &T {
    type At<'a> = &'a T;
}
impl<T: Sync + 'static> Covariant for &T {
    fn shorten<'s, 'l: 's>(x: &'s &'l T) -> &'s &'s T {
        x
    }
}

/// The family of a type without a lifetime.
#[derive(Debug)]
pub struct Plain<T>(PhantomData<T>);

impl<T: Send + Sync + 'static> Family for Plain<T> {
    type At<'a> = T;
}
impl<T: Send + Sync + 'static> Covariant for Plain<T> {
    fn shorten<'s, 'l: 's>(x: &'s T) -> &'s T {
        x
    }
}
