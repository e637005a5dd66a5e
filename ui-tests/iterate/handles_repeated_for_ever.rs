// Wrong: an iterator repeats a handle, and the list of them is said to live for ever.
// Instead: `Vec<Mmio<'drv, [u8], P>>`.
// Refused: returning this value requires that `'1` must outlive `'static`
use std::iter::repeat;

use driver_scope::{platform::Sim, Mmio};

fn copies(regs: Mmio<'_, [u8], Sim>) -> Vec<Mmio<'static, [u8], Sim>> {
    repeat(regs).take(4).collect()
}

fn main() {}
