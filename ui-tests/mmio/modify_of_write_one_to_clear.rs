// Wrong: one bit of a `w1c` register is set by read-modify-write, which clears all the others that are set.
// Instead: `uart.clear(CAUSES, 1)`, which writes that bit alone.
use driver_scope::{platform::Sim, registers, Mmio};

registers! {
    Uart: 0x100 {
        0x00 => w1c CAUSES: u32,
    }
}

fn acknowledge_first(uart: Mmio<'_, Uart, Sim>) {
    uart.modify(CAUSES, |causes| causes | 1);
}

fn main() {}
