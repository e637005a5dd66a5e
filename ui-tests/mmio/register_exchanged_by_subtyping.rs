// Wrong: a register of a large block becomes one of a small block, since one type is the other's subtype.
// (`for<'a> fn(&'a ())` is a subtype of `fn(&'static ())`, and the two may have different sizes.) Once it compiled.
// Instead: a block type of its own for each block.
#![allow(coherence_leak_check)]
use driver_scope::{Reg, Registers};

struct Block<T>(T);
type Large = Block<for<'a> fn(&'a ())>;
type Small = Block<fn(&'static ())>;
impl Registers for Large {
    const SIZE: usize = 0x1000;
}
impl Registers for Small {
    const SIZE: usize = 4;
}

fn shrink(far: Reg<Large, u32>) -> Reg<Small, u32> {
    far
}

fn main() {}
