// Wrong: the number of an array's elements is computed, and wraps around.
// Instead: the number of elements that there are.
// Refused: attempt to compute `0_usize - 1_usize`, which would overflow
use driver_scope::registers;

const COUNT: usize = 0;

registers! {
    Small: 8 {
        0x0 => rw STATUS: [u32; COUNT - 1; stride 4],
    }
}

fn main() {}
