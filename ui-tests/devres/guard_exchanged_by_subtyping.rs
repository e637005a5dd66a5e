// Wrong: a guard of one family becomes one of another, whose members are larger, since one type is the other's subtype.
// (`for<'a> fn(&'a ())` is a subtype of `fn(&'static ())`, and the two may be different families.)
// Instead: a type of its own for each family.
#![allow(coherence_leak_check)]
use driver_scope::{platform::Sim, DevresGuard, Family};

struct Members<T>(T);
type Small = Members<for<'a> fn(&'a ())>;
type Large = Members<fn(&'static ())>;
impl Family for Small {
    type At<'a> = u8;
}
impl Family for Large {
    type At<'a> = [u64; 4];
}

fn grow<'g>(small: DevresGuard<'g, Small, Sim>) -> DevresGuard<'g, Large, Sim> {
    small
}

fn main() {}
