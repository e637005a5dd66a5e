// Wrong: a register is put, by hand, into a block whose size was never declared.
// Instead: declare the block with its registers: `registers! { Uart: 0x20 { 0x00 => rw STATUS: u32, } }`.
use driver_scope::mmio::{Item, One, ReadWrite, Register};

enum Uart {}

#[derive(Clone, Copy)]
struct Status;
impl Item for Status {
    type Block = Uart;
    type Content = Register<u32, ReadWrite>;
    type Shape = One;
    const OFFSET: usize = 0;
    const NAME: &'static str = "STATUS";
}

fn main() {}
