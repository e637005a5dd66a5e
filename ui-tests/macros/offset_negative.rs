// Wrong: a register lies before its block.
// Instead: offsets count from the begin of the block.
// Refused: cannot apply unary operator `-` to type `usize`
use driver_scope::registers;

registers! {
    Small: 8 {
        -4 => rw STATUS: u32,
    }
}

fn main() {}
