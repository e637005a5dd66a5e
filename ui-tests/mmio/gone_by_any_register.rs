// Wrong: a register that may well read as all ones is to tell whether the device is there.
// Instead: one that never does, and says so in its declaration: `ro ID: u32 where !0 is gone`.
use driver_scope::{platform::Sim, registers, Mmio};

registers! {
    Uart: 0x100 {
        0x00 => ro COUNTER: u32,
    }
}

fn is_there(uart: Mmio<'_, Uart, Sim>) -> bool {
    uart.read_or_gone(COUNTER).is_ok()
}

fn main() {}
