// Wrong: data of a driver on one platform is taken for the data of the same driver on another.
// Instead: a binding's data is of its own platform: `<D as Driver<P>>::Data<'_>`.
// Refused: mismatched types
use driver_scope::platform::{Host, Sim};
use driver_scope::{Binding, Driver};

fn look<D: Driver<Sim> + Driver<Host>>(
    binding: &Binding<D, Sim>,
    see: fn(&<D as Driver<Host>>::Data<'_>),
) {
    binding.with(|data| see(data));
}

fn main() {}
