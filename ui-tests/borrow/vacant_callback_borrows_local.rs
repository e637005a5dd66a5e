// Wrong: a callback that is filled in later borrows a local, as if `Vacant` had laxer rules.
// Instead: as for any callback: give the value to the scope, or `move` it in.
use driver_scope::{platform::Sim, DriverScope, Error, Restart, Vacant};

fn fill<'drv>(scope: &DriverScope<'drv, Sim>, vacant: Vacant<'drv, Sim>) -> Result<(), Error> {
    let name = String::from("led");
    let name = &name;
    vacant.set(scope, move |_| {
        println!("{name}");
        Restart::No
    })
}

fn main() {}
