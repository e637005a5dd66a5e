// Wrong: a nested block is read as if it were a register.
// Instead: `gpio.block(PORT)`, and then the registers of it.
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

fn port(gpio: Mmio<'_, Gpio, Sim>) {
    let _ = gpio.read(PORT);
}

fn main() {}
