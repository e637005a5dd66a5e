// Wrong: a register whose bits are cleared by writing ones is written as if it kept a value.
// Instead: `uart.clear(CAUSES, seen)`.
use driver_scope::{platform::Sim, registers, Mmio};

registers! {
    Uart: 0x100 {
        0x00 => w1c CAUSES: u32,
    }
}

fn acknowledge(uart: Mmio<'_, Uart, Sim>, seen: u32) {
    uart.write(CAUSES, !seen);
}

fn main() {}
