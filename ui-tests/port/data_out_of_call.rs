// Wrong: the driver's data itself leaves `Port::call`, by reference.
// Instead: use it inside the closure, and return what came of it.
use driver_scope::{platform::Sim, Driver, Port};

fn steal<D: Driver<Sim>>(port: &Port<D, Sim>) {
    let _data = port.call(|data| data);
}

fn main() {}
