// Wrong: a block is `big ending`.
// Instead: `big endian`; little-endian is what holds if nothing is said.
use driver_scope::registers;

registers! {
    Uart: 0x40 big ending {
        0x00 => ro ID: u32,
    }
}

fn main() {}
