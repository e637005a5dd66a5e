// Wrong: a register that each look clears is polled: what the looks before the last one saw is lost.
// Instead: `Poll::until` with `take`, and keep what each look has taken.
use driver_scope::{platform::Sim, registers, Error, Mmio, Poll};

registers! {
    Uart: 0x100 {
        0x00 => rc EVENTS: u32,
    }
}

fn wait(uart: Mmio<'_, Uart, Sim>, how: Poll<'_, '_, Sim>) -> Result<u32, Error> {
    uart.poll(EVENTS, how, |value| value & 1 != 0)
}

fn main() {}
