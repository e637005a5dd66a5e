// Wrong: a handle to a small block becomes one to a large block, since one type is the other's subtype.
// Instead: a block type of its own for each block.
#![allow(coherence_leak_check)]
use driver_scope::{platform::Sim, DmaBuffer, Registers};

struct Block<T>(T);
type Small = Block<for<'a> fn(&'a ())>;
type Large = Block<fn(&'static ())>;
impl Registers for Small {
    const SIZE: usize = 8;
}
impl Registers for Large {
    const SIZE: usize = 0x1000;
}

fn grow(small: DmaBuffer<'_, Small, Sim>) -> DmaBuffer<'_, Large, Sim> {
    small
}

fn main() {}
