// Wrong: a register is named by its offset.
// Instead: declare it in its block: `0xffc => rw DIRECTION: u32,`; or map the region as `[u8]`.
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

fn direction(gpio: Mmio<'_, Gpio, Sim>) -> u32 {
    gpio.read(0xffc)
}

fn main() {}
