// Wrong: `unsafe` is brought into a driver that forbids it, as the size of a block.
// Instead: a number.
// Refused: usage of an `unsafe` block
#![forbid(unsafe_code)]
use driver_scope::registers;

registers! {
    Small: { unsafe { *(&8_usize as *const usize) } } {
        0x0 => rw STATUS: u32,
    }
}

fn main() {}
