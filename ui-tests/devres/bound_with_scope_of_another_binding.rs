// Wrong: a resource of one device is accessed without a check on the strength of another device's scope.
// Instead: each by its own scope; or use the checked handle.
use driver_scope::{platform::Sim, Binding, Bound, Driver, MaySleep, Plain};

fn read<D>(one: &Binding<D, Sim>, other: &Binding<D, Sim>, cx: MaySleep<'_>) -> u32
where
    D: for<'drv> Driver<Sim, Data<'drv> = Bound<'drv, Plain<u32>, Sim>>,
{
    one.with(|bound| other.with_scope(cx, |_, scope| *bound.access(scope)))
}

fn main() {}
