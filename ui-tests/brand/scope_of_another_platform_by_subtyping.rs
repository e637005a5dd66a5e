// Wrong: the scope of one platform becomes one of another, since one type is the other's subtype.
// (`for<'a> fn(&'a T)` is a subtype of `fn(&'static T)`, and the two may be different platforms.)
// Instead: a type of its own for each platform.
#![allow(coherence_leak_check)]
use driver_scope::{DriverScope, Platform};

struct Machine<T>(T);

fn exchange<'s, 'drv, T>(
    one: &'s DriverScope<'drv, Machine<for<'a> fn(&'a T)>>,
) -> &'s DriverScope<'drv, Machine<fn(&'static T)>>
where
    Machine<for<'a> fn(&'a T)>: Platform,
    Machine<fn(&'static T)>: Platform,
{
    one
}

fn main() {}
