// Wrong: drivers of several types in one list, as `dyn Driver`.
// Instead: a trait of one's own for `Binding<D, P>`, and objects of that.
// Refused: the trait `Driver` is not dyn compatible
use driver_scope::{platform::Sim, Driver};

struct Bus {
    drivers: Vec<Box<dyn Driver<Sim>>>,
}

fn main() {}
