// Wrong: a binding is used after its driver was removed.
// Instead: `unbind` last; bind again with the device that it gave back.
use driver_scope::{platform::Sim, Binding, Driver, MaySleep};

fn remove<D: Driver<Sim>>(binding: Binding<D, Sim>, cx: MaySleep<'_>) {
    let _ = binding.unbind(cx);
    binding.with(|_| ());
}

fn main() {}
