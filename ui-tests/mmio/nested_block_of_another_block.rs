// Wrong: a nested block is looked for in a block that it does not lie in.
// Instead: the handle to the block that it lies in.
use driver_scope::{platform::Sim, registers, Mmio};

registers! {
    Uart: 0x100 {
        0x00 => ro STATUS: u32,
    }

    Gpio: 0x1000 {
        0x00 => block PORT: Port,
        0x100 => rw LEVELS: [u8; 16; stride 1],
        0xffc => rw DIRECTION: u32,
    }

    Port: 0x20 {
        0x00 => rw DRIVE: u32,
    }
}

fn port<'drv>(uart: Mmio<'drv, Uart, Sim>) -> Mmio<'drv, Port, Sim> {
    uart.block(PORT)
}

fn main() {}
