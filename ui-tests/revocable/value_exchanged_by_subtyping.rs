// Wrong: a `Revocable` of one type becomes one of another whose `Drop` is another's, since one type is the other's subtype.
// (`for<'a> fn(&'a ())` is a subtype of `fn(&'static ())`, and `revoke` drops the value through a shared reference.)
// Instead: a type of its own for each value.
#![allow(coherence_leak_check)]
use driver_scope::{platform::Sim, Revocable};

struct Value<T>(T);
type One = Value<for<'a> fn(&'a ())>;
type Other = Value<fn(&'static ())>;

fn exchange(one: Revocable<One, Sim>) -> Revocable<Other, Sim> {
    one
}

fn main() {}
