// Wrong: a register beyond its block is read through a function pointer, so that no call names it. Found when code is generated.
// Instead: correct the offset. (It is refused when code is generated: `cargo build`.)
use driver_scope::mmio::{Item, One, ReadWrite, Register};
use driver_scope::{platform::Sim, Mmio, Registers};

struct Block;
impl Registers for Block {
    const SIZE: usize = 4;
}

#[derive(Clone, Copy)]
struct FAR;
impl Item for FAR {
    type Block = Block;
    type Content = Register<u32, ReadWrite>;
    type Shape = One;
    const OFFSET: usize = 0x100;
    const NAME: &'static str = "FAR";
}

fn main() {
    let read = <Mmio<'static, Block, Sim>>::read::<FAR>;
    std::hint::black_box(read as fn(_, _) -> _);
}
