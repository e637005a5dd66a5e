// Wrong: a register is read as `i32`.
// Instead: declare it as `u32`, and convert the value: `regs.read(LEVEL) as i32`.
use driver_scope::{registers};

registers! {
    Uart: 0x20 {
        0 => rw LEVEL: i32,
    }
}

fn main() {}
