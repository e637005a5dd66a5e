// Wrong: a `&mut` to a handle is passed off as one to a handle of a shorter life, which could be written through it.
// Instead: pass handles by value: they are `Copy`.
// Refused: function was supposed to return data with lifetime `'drv` but it is returning data with lifetime `'s`
use driver_scope::{platform::Sim, Irq};

fn shorten<'s, 'drv: 's>(irq: &'s mut Irq<'drv, Sim>) -> &'s mut Irq<'s, Sim> {
    irq
}

fn main() {}
