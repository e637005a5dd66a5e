// Wrong: a block that may begin at any multiple of 4 has a register of 8 bytes.
// Instead: `align 8`, or none, or two registers of 4 bytes.
use driver_scope::registers;

registers! {
    Timer: 0x20 align 4 {
        0x08 => ro TIME: u64,
    }
}

fn main() {}
