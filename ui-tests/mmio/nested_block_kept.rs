// Wrong: a handle to a nested block is kept for longer than its scope.
// Instead: keep it in the driver's `Data<'drv>`.
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

struct Ports {
    first: Mmio<'static, Port, Sim>,
}

fn keep(gpio: Mmio<'_, Gpio, Sim>) -> Ports {
    Ports {
        first: gpio.block(PORT),
    }
}

fn main() {}
