// Wrong: two arrays whose types are subtypes of each other, and an element of the longer is taken for one of the shorter.
// Instead: give each array a type of its own, as `registers!` does.
#![allow(coherence_leak_check)]
use driver_scope::mmio::{Element, Item, Many, ReadWrite, Register};
use driver_scope::Registers;

enum Uart {}
impl Registers for Uart {
    const SIZE: usize = 0x1000;
}

struct Array<T>(T);
impl<T> Clone for Array<T> {
    fn clone(&self) -> Self {
        loop {}
    }
}
impl<T: Copy> Copy for Array<T> {}
type Long = Array<for<'a> fn(&'a ())>;
type Short = Array<fn(&'static ())>;
impl Item for Long {
    type Block = Uart;
    type Content = Register<u32, ReadWrite>;
    type Shape = Many<16, 4>;
    const OFFSET: usize = 0;
    const NAME: &'static str = "LONG";
}
impl Item for Short {
    type Block = Uart;
    type Content = Register<u32, ReadWrite>;
    type Shape = Many<2, 4>;
    const OFFSET: usize = 0x100;
    const NAME: &'static str = "SHORT";
}

fn shrink(element: Element<Long>) -> Element<Short> {
    element
}

fn main() {}
