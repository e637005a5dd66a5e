// Wrong: an action for `remove` owns an `Rc`; a driver may be removed on another thread than it was bound on.
// Instead: `Arc`, or let the scope own the value.
use std::rc::Rc;

use driver_scope::{platform::Sim, DriverScope, Error};

fn probe(scope: &DriverScope<'_, Sim>) -> Result<(), Error> {
    let name = Rc::new("led");
    scope.on_remove(move |_| println!("{name} is off"))
}

fn main() {}
