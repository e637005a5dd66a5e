// Wrong: the driver's data itself leaves `Binding::with`, by reference.
// Instead: use it inside the closure, and return what came of it.
use driver_scope::{platform::Sim, Binding, Driver};

fn steal<D: Driver<Sim>>(binding: &Binding<D, Sim>) {
    let _data = binding.with(|data| data);
}

fn main() {}
