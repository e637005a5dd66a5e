// Wrong: a reference to a register is asked for; the compiler could read through it at any time.
// Instead: `read` and `write`.
use driver_scope::{platform::Sim, Mmio, registers};

registers! {
    Uart: 0x20 {
        0 => rw STATUS: u32,
    }
}

fn status<'drv>(uart: Mmio<'drv, Uart, Sim>) -> &'drv u32 {
    &uart[STATUS]
}

fn main() {}
