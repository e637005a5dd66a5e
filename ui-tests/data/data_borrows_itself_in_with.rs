// Wrong: inside `with`, the driver's data is made to hold a reference into itself; its `Drop` could then see itself.
// Instead: let the scope own what is to be referred to (`scope.own`).
use driver_scope::{platform::Sim, Binding, Driver, Lock};

struct Data<'drv> {
    best: &'drv Lock<Option<&'drv u32>, Sim>,
    count: u32,
}

fn point<D>(binding: &Binding<D, Sim>)
where
    D: for<'drv> Driver<Sim, Data<'drv> = Data<'drv>>,
{
    binding.with(|data| *data.best.lock() = Some(&data.count));
}

fn main() {}
