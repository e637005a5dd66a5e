// Wrong: a table of a driver's registrations is printed after the driver was removed.
// Instead: make it text (`to_string`) while the driver is bound.
use driver_scope::{platform::Sim, Binding, Driver, MaySleep};

fn remove<D: Driver<Sim>>(binding: Binding<D, Sim>, cx: MaySleep<'_>) {
    let table = binding.table();
    let _ = binding.unbind(cx);
    println!("{table}");
}

fn main() {}
