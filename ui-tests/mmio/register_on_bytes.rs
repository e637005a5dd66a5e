// Wrong: a register of a block is read from a region that nobody has compared with the block.
// Instead: `bytes.block::<Uart>()?.read(STATUS)`: one check, and none from there on.
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

fn status(bytes: Mmio<'_, [u8], Sim>) -> u32 {
    bytes.read(STATUS)
}

fn main() {}
