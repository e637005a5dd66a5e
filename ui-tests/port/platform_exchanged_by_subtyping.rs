// Wrong: a port on one platform becomes one on another, since one type is the other's subtype.
// (`for<'a> fn(&'a T)` is a subtype of `fn(&'static T)`, and the two may be different platforms.)
// Instead: a type of its own for each platform.
#![allow(coherence_leak_check)]
use driver_scope::{Driver, Platform, Port};

struct Machine<T>(T);

fn exchange<D, T>(one: Port<D, Machine<for<'a> fn(&'a T)>>) -> Port<D, Machine<fn(&'static T)>>
where
    Machine<for<'a> fn(&'a T)>: Platform,
    Machine<fn(&'static T)>: Platform,
    D: Driver<Machine<for<'a> fn(&'a T)>>,
    D: Driver<Machine<fn(&'static T)>>,
{
    one
}

fn main() {}
