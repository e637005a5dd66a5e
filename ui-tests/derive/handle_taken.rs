// Wrong: a handle is taken out of the data by `mem::take`, which would leave one made of nothing.
// Instead: copy it: handles are `Copy`.
// Refused: the trait bound `Mmio<'_, [u8], Sim>: Default` is not satisfied
use driver_scope::{platform::Sim, Mmio};

fn take<'drv>(regs: &mut Mmio<'drv, [u8], Sim>) -> Mmio<'drv, [u8], Sim> {
    std::mem::take(regs)
}

fn main() {}
