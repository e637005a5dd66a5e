// Wrong: the offset of an array's last element wraps around, and so seems to lie inside. Found when code is generated.
// Instead: correct the number of elements, or the stride.
use driver_scope::mmio::{Element, Item, Many, ReadWrite, Register};
use driver_scope::Registers;

struct Block;
impl Registers for Block {
    const SIZE: usize = 16;
}

#[derive(Clone, Copy)]
struct RING;
impl Item for RING {
    type Block = Block;
    type Content = Register<u8, ReadWrite>;
    type Shape = Many<{ usize::MAX }, { usize::MAX }>;
    const OFFSET: usize = 1;
    const NAME: &'static str = "RING";
}

fn main() {
    for element in Element::<RING>::all() {
        println!("{element:?}");
    }
}
