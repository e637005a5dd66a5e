// Wrong: a register holds a type with fields that nobody has said how to convert.
// Instead: `register_values! { Status: u32 = from_bits, bits }`.
use driver_scope::registers;

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

registers! {
    Uart: 0x100 {
        0x00 => ro STATUS: Status,
    }
}

fn main() {
    let _ = Status::from_bits(0).bits();
}
