// Wrong: a register is declared by hand, at an offset outside its block, and used. Found when code is generated.
// Instead: `registers!`, which says so at the declaration.
use driver_scope::mmio::{Item, One, ReadWrite, Register};
use driver_scope::platform::Sim;
use driver_scope::{Mmio, Registers};

enum Uart {}
impl Registers for Uart {
    const SIZE: usize = 0x20;
}

#[derive(Clone, Copy)]
struct Beyond;
impl Item for Beyond {
    type Block = Uart;
    type Content = Register<u32, ReadWrite>;
    type Shape = One;
    const OFFSET: usize = 0x20;
    const NAME: &'static str = "BEYOND";
}

fn beyond(uart: Mmio<'_, Uart, Sim>) -> u32 {
    uart.read(Beyond)
}

fn main() {
    let _: fn(Mmio<'_, Uart, Sim>) -> u32 = beyond;
}
