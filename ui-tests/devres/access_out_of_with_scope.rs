// Wrong: what `access` lent is kept beyond the time for which the scope was lent.
// Instead: use it inside the closure, and return what came of it.
use driver_scope::{platform::Sim, Binding, Bound, Driver, MaySleep, Plain};

fn steal<D>(binding: &Binding<D, Sim>, cx: MaySleep<'_>)
where
    D: for<'drv> Driver<Sim, Data<'drv> = Bound<'drv, Plain<u32>, Sim>>,
{
    let _count = binding.with_scope(cx, |bound, scope| bound.access(scope));
}

fn main() {}
