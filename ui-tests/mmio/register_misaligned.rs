// Wrong: a register of 4 bytes lies at an offset that is no multiple of 4.
// Instead: correct the offset or the width.
use driver_scope::{registers};

registers! {
    Uart: 0x20 {
        0x06 => rw STATUS: u32,
    }
}

fn main() {}
