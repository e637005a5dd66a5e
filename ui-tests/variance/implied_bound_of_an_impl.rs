// Wrong: an impl for `&'a &'b ()` is used with lifetimes that its header makes impossible.
// Instead: nothing: the header is checked where the impl is used.
// Refused: requires that `'drv` must outlive `'static`
use driver_scope::{platform::Sim, Mmio};

trait Lengthen<T, U> {
    fn lengthen(regs: T) -> U;
}

impl<'a, 'b> Lengthen<Mmio<'b, [u8], Sim>, Mmio<'a, [u8], Sim>> for &'a &'b () {
    fn lengthen(regs: Mmio<'b, [u8], Sim>) -> Mmio<'a, [u8], Sim> {
        regs
    }
}

fn keep<'drv>(regs: Mmio<'drv, [u8], Sim>) -> Mmio<'static, [u8], Sim> {
    <&'static &'drv () as Lengthen<_, _>>::lengthen(regs)
}

fn main() {}
