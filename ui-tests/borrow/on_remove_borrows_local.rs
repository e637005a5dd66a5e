// Wrong: an action for `remove` borrows a local that is gone by then.
// Instead: `move` the value in, or a reference to a value that the scope owns.
use driver_scope::{platform::Sim, DriverScope, Error};

fn probe(scope: &DriverScope<'_, Sim>) -> Result<(), Error> {
    let name = String::from("led");
    let name = &name;
    scope.on_remove(move |_| println!("{name} is off"))
}

fn main() {}
