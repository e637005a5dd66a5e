// Wrong: a port is made by hand.
// Instead: `scope.port::<Self>()` in `probe`, or `binding.port()`.
use driver_scope::{platform::Sim, Driver, Port};

fn forge<D: Driver<Sim>>() -> Port<D, Sim> {
    Port {}
}

fn main() {}
