// Wrong: a place is declared for a type that is a subtype of an item's, and so nearly one itself.
// Instead: an `Item`; it is a place if it fits.
#![allow(coherence_leak_check)]
use driver_scope::mmio::{Item, One, Place, ReadWrite, Register};
use driver_scope::Registers;

struct Block;
impl Registers for Block {
    const SIZE: usize = 8;
}

#[derive(Clone, Copy)]
struct Reg<T>(T);
type Real = Reg<for<'a> fn(&'a u8)>;
type Forged = Reg<fn(&'static u8)>;
impl Item for Real {
    type Block = Block;
    type Content = Register<u32, ReadWrite>;
    type Shape = One;
    const OFFSET: usize = 0;
    const NAME: &'static str = "REAL";
}
impl Place<Block> for Forged {
    type Content = Register<u32, ReadWrite>;
    type Item = Real;
    fn offset(self) -> usize {
        0x1000
    }
}

fn main() {}
