// Wrong: the port is called inside `with_scope`, and what the call lends is mixed with the scope: a handle of the data, under the scope's brand.
// Instead: the data that `with_scope` lends beside the scope.
use driver_scope::{platform::Sim, Binding, Bound, Driver, MaySleep, Plain, Port};

fn read<D>(binding: &Binding<D, Sim>, port: &Port<D, Sim>, cx: MaySleep<'_>)
where
    D: for<'drv> Driver<Sim, Data<'drv> = Bound<'drv, Plain<u32>, Sim>>,
{
    binding.with_scope(cx, |_, scope| {
        let _ = port.call(|bound| *bound.access(scope));
    });
}

fn main() {}
