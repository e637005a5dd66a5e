// Wrong: a register of a large block is used on a small one, whose types are subtypes of each other both ways.
// Instead: a block type of its own for each block.
#![allow(coherence_leak_check)]
use driver_scope::mmio::{Item, One, ReadWrite, Register};
use driver_scope::{platform::Sim, Mmio, Registers};

struct Block<T>(T);
type Large = Block<for<'a, 'b> fn(&'a u8, &'b u8)>;
type Small = Block<for<'a> fn(&'a u8, &'a u8)>;
impl Registers for Large {
    const SIZE: usize = 0x1000;
}
impl Registers for Small {
    const SIZE: usize = 8;
}

#[derive(Clone, Copy)]
struct FAR;
impl Item for FAR {
    type Block = Large;
    type Content = Register<u32, ReadWrite>;
    type Shape = One;
    const OFFSET: usize = 0x800;
    const NAME: &'static str = "FAR";
}

fn read(regs: Mmio<'_, Small, Sim>) -> u32 {
    regs.read(FAR)
}

fn main() {}
