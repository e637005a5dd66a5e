// Wrong: the register begins inside its block and ends outside.
// Instead: correct the offset, the width, or the block's size.
use driver_scope::{registers};

registers! {
    Uart: 0x24 {
        0x20 => rw STATUS: u64,
    }
}

fn main() {}
