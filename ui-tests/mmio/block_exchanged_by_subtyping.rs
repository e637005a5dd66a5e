// Wrong: a handle to a small block becomes one to a large block, since one type is the other's subtype.
// (`for<'a> fn(&'a ())` is a subtype of `fn(&'static ())`, and the two may have different sizes.) Once it compiled.
// Instead: a block type of its own for each block.
#![allow(coherence_leak_check)]
use driver_scope::{platform::Sim, Mmio, Registers};

struct Block<T>(T);
type Small = Block<for<'a> fn(&'a ())>;
type Large = Block<fn(&'static ())>;
impl Registers for Small {
    const SIZE: usize = 4;
}
impl Registers for Large {
    const SIZE: usize = 0x1000;
}

fn grow(small: Mmio<'_, Small, Sim>) -> Mmio<'_, Large, Sim> {
    small
}

fn main() {}
