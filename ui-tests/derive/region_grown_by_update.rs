// Wrong: a handle is made of another by struct update, with a size of one's own.
// Instead: parts come from `split_at`; a region is as large as it was mapped.
// Refused: fields `io`, `len`, `_scope` and `_block` of struct `Mmio` are private
use driver_scope::{platform::Sim, Mmio};

fn grow(regs: Mmio<'_, [u8], Sim>) -> Mmio<'_, [u8], Sim> {
    Mmio {
        len: 1 << 20,
        ..regs
    }
}

fn main() {}
