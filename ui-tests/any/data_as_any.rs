// Wrong: a binding's data is lent as `&dyn Any`, so that bindings of all drivers look the same.
// Instead: a trait of what is done with the data, and an object of that.
// Refused: `<D as Driver<Sim>>::Data<'_>` does not live long enough
use std::any::Any;

use driver_scope::{platform::Sim, Binding, Driver};

fn look<D: Driver<Sim>>(binding: &Binding<D, Sim>, see: fn(&dyn Any)) {
    binding.with(|data| see(data));
}

fn main() {}
