// Wrong: bits of an ordinary register are cleared by writing ones.
// Instead: `uart.modify(CONTROL, |control| control & !1)`; or declare it `w1c`.
use driver_scope::{platform::Sim, registers, Mmio};

registers! {
    Uart: 0x100 {
        0x00 => rw CONTROL: u32,
    }
}

fn disable(uart: Mmio<'_, Uart, Sim>) {
    uart.clear(CONTROL, 1);
}

fn main() {}
