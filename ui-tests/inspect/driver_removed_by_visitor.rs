// Wrong: the driver is removed while its registrations are visited.
// Instead: note in the visitor what is to be done, and remove the driver afterwards.
use driver_scope::{platform::Sim, Binding, Driver};

fn remove_late<D: Driver<Sim>>(binding: Binding<D, Sim>) {
    binding.inspect(|item| {
        if item.timer().is_some_and(|timer| timer.missed > 0) {
            drop(binding);
        }
    });
}

fn main() {}
