// Wrong: the handle of a child is made by hand.
// Instead: `scope.child::<D>(device)`.
use driver_scope::{platform::Sim, Child, Driver};

fn forge<D: Driver<Sim>>() -> Child<'static, D, Sim> {
    Child {}
}

fn main() {}
