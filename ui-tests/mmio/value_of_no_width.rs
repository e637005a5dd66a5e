// Wrong: the width of a type with fields is none that a machine reads in one access.
// Instead: `u8`, `u16`, `u32` or `u64`, with the rest of it unused.
use driver_scope::register_values;

#[derive(Clone, Copy)]
struct Address(u128);

impl Address {
    fn from_bits(bits: u128) -> Self {
        Address(bits)
    }
    fn bits(self) -> u128 {
        self.0
    }
}

register_values! { Address: u128 = from_bits, bits }

fn main() {}
