// Wrong: the driver is removed while its data is lent.
// Instead: let `with` end first.
use driver_scope::{platform::Sim, Binding, Driver, MaySleep};

fn remove<D: Driver<Sim>>(binding: Binding<D, Sim>, cx: MaySleep<'_>) {
    let lent = &binding;
    lent.with(|_| {
        let _ = binding.unbind(cx);
    });
}

fn main() {}
