// Wrong: a binding is made by hand.
// Instead: `Binding::bind(platform, device, cx)`.
use driver_scope::{platform::Sim, Binding, Driver};

fn forge<D: Driver<Sim>>() -> Binding<D, Sim> {
    Binding {}
}

fn main() {}
