// Wrong: a register of a nested block is used on the outer one.
// Instead: `gpio.block(PORT).read(DRIVE)`.
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

fn drive(gpio: Mmio<'_, Gpio, Sim>) -> u32 {
    gpio.read(DRIVE)
}

fn main() {}
