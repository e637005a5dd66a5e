// Wrong: an offset that no number can hold, and that would be small if it wrapped around.
// Instead: offsets inside the block.
// Refused: literal out of range for `usize`
use driver_scope::registers;

registers! {
    Small: 8 {
        0x1_0000_0000_0000_0004 => rw STATUS: u32,
    }
}

fn main() {}
