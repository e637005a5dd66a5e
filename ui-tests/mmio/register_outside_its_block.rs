// Wrong: the register lies behind the end of its block.
// Instead: correct the offset, or the block's size.
use driver_scope::{registers};

registers! {
    Uart: 0x20 {
        0x20 => rw STATUS: u32,
    }
}

fn main() {}
