// Wrong: a register that can only be written is modified, so read.
// Instead: keep the value in the driver, and write it whole.
use driver_scope::{platform::Sim, registers, Mmio};

registers! {
    Uart: 0x100 {
        0x00 => wo CONTROL: u32,
    }
}

fn enable(uart: Mmio<'_, Uart, Sim>) {
    uart.modify_relaxed(CONTROL, |control| control | 1);
}

fn main() {}
