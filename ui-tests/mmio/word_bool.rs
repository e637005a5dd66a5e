// Wrong: a register is read as `bool`; a device may well answer 2.
// Instead: declare it as `u8`, and ask `regs.read(READY) != 0`.
use driver_scope::{registers};

registers! {
    Uart: 0x20 {
        0 => rw READY: bool,
    }
}

fn main() {}
