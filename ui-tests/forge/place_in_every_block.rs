// Wrong: a generic item declares itself to lie in the block of any other instance as well.
// Instead: an item lies in its own block.
use driver_scope::mmio::{Item, One, Place, ReadWrite, Register};
use driver_scope::Registers;

struct Block<const N: usize>;
impl<const N: usize> Registers for Block<N> {
    const SIZE: usize = N;
}

#[derive(Clone, Copy)]
struct Last<const N: usize>;
impl<const N: usize> Item for Last<N> {
    type Block = Block<N>;
    type Content = Register<u8, ReadWrite>;
    type Shape = One;
    const OFFSET: usize = N - 1;
    const NAME: &'static str = "LAST";
}
impl<const N: usize, const M: usize> Place<Block<M>> for Last<N> {
    type Content = Register<u8, ReadWrite>;
    type Item = Self;
    fn offset(self) -> usize {
        N - 1
    }
}

fn main() {}
