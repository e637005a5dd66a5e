// Wrong: a register of one block is used on another.
// Instead: a handle to the block that the register belongs to.
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

fn direction(uart: Mmio<'_, Uart, Sim>) -> u32 {
    uart.read(DIRECTION)
}

fn main() {}
