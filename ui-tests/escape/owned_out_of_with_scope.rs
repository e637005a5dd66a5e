// Wrong: a reference to a value that was given to the scope in `with_scope` leaves it.
// Instead: if the driver must find it again, its data needs a place for it.
use driver_scope::{platform::Sim, Binding, Driver, MaySleep};

fn steal<D: Driver<Sim>>(binding: &Binding<D, Sim>, cx: MaySleep<'_>) {
    let _count = binding.with_scope(cx, |_, scope| scope.own(7));
}

fn main() {}
