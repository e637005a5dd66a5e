// Wrong: the last of eight bytes becomes a `u64` there, by subtyping that goes both ways.
// Instead: an item type of its own for each array.
#![allow(coherence_leak_check)]
use driver_scope::mmio::{Element, Item, Many, ReadWrite, Register};
use driver_scope::Registers;

struct Block;
impl Registers for Block {
    const SIZE: usize = 8;
}

#[derive(Clone, Copy)]
struct Array<T>(T);
type Bytes = Array<for<'a, 'b> fn(&'a u8, &'b u8)>;
type Words = Array<for<'a> fn(&'a u8, &'a u8)>;
impl Item for Bytes {
    type Block = Block;
    type Content = Register<u8, ReadWrite>;
    type Shape = Many<8, 1>;
    const OFFSET: usize = 0;
    const NAME: &'static str = "BYTES";
}
impl Item for Words {
    type Block = Block;
    type Content = Register<u64, ReadWrite>;
    type Shape = Many<1, 8>;
    const OFFSET: usize = 0;
    const NAME: &'static str = "WORDS";
}

fn last() -> Element<Words> {
    Element::<Bytes>::nth::<7>()
}

fn main() {}
