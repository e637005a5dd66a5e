// Wrong: a copy of a handle leaves `Binding::with`; the binding may be removed afterwards.
// Instead: use the handle inside the closure, and return what came of it.
use driver_scope::{platform::Sim, Binding, Driver, HrTimer};

fn steal<D>(binding: &Binding<D, Sim>)
where
    D: for<'drv> Driver<Sim, Data<'drv> = HrTimer<'drv, Sim>>,
{
    let _timer = binding.with(|data| *data);
}

fn main() {}
