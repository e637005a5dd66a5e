// Wrong: the size of a block is found at run time.
// Instead: a region of `[u8]`, whose size is known at run time only: `scope.map::<[u8]>(..)`.
// Refused: cannot call non-const function `size` in constants
use driver_scope::registers;

fn size() -> usize {
    std::env::args().count()
}

registers! {
    Small: (size()) {
        0x0 => rw STATUS: u32,
    }
}

fn main() {}
