// Wrong: the value of one register is written to another, whose fields are others.
// Instead: make the value that the register holds.
use driver_scope::{platform::Sim, register_values, registers, Mmio};

#[derive(Clone, Copy)]
struct Status(u32);

impl Status {
    fn from_bits(bits: u32) -> Self {
        Status(bits)
    }
    fn bits(self) -> u32 {
        self.0
    }
}

#[derive(Clone, Copy)]
struct Control(u32);

impl Control {
    fn from_bits(bits: u32) -> Self {
        Control(bits)
    }
    fn bits(self) -> u32 {
        self.0
    }
}

register_values! {
    Status: u32 = from_bits, bits;
    Control: u32 = from_bits, bits;
}

registers! {
    Uart: 0x100 {
        0x00 => ro STATUS: Status,
        0x04 => rw CONTROL: Control,
    }
}

fn acknowledge(uart: Mmio<'_, Uart, Sim>) {
    uart.write(CONTROL, uart.read(STATUS));
}

fn main() {}
