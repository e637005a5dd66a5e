// Wrong: an impl assumes, for any `'x`, that a register of one block lies in another, which for no `'x` it does; and is used.
// Instead: a block type of its own for each block.
#![allow(coherence_leak_check)]
use driver_scope::mmio::{Item, One, Place, ReadWrite, Register};
use driver_scope::{platform::Sim, Mmio, Registers};

struct Block<T>(T);
type Large = Block<for<'a> fn(&'a u8)>;
impl Registers for Large {
    const SIZE: usize = 0x1000;
}
impl Registers for Block<fn(&'static u8)> {
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

trait Lies<'x> {
    type There: Place<Block<fn(&'x u8)>, Content = Register<u32, ReadWrite>, Item = FAR>;
    const THERE: Self::There;
}
impl<'x> Lies<'x> for ()
where
    FAR: Place<Block<fn(&'x u8)>, Content = Register<u32, ReadWrite>, Item = FAR>,
{
    type There = FAR;
    const THERE: FAR = FAR;
}

fn far<T: Lies<'static>>(regs: Mmio<'_, Block<fn(&'static u8)>, Sim>) -> u32 {
    regs.read(T::THERE)
}

fn main() {
    let _: fn(Mmio<'_, Block<fn(&'static u8)>, Sim>) -> u32 = far::<()>;
}
