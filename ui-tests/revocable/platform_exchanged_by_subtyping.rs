// Wrong: a `Revocable` of one platform becomes one of another, whose read sections are other ones, since one type is the other's subtype.
// (`for<'a> fn(&'a T)` is a subtype of `fn(&'static T)`, and the two may be different platforms.)
// Instead: a type of its own for each platform.
#![allow(coherence_leak_check)]
use driver_scope::{Platform, Revocable};

struct Machine<T>(T);

fn exchange<T>(
    one: Revocable<u8, Machine<for<'a> fn(&'a T)>>,
) -> Revocable<u8, Machine<fn(&'static T)>>
where
    Machine<for<'a> fn(&'a T)>: Platform,
    Machine<fn(&'static T)>: Platform,
{
    one
}

fn main() {}
