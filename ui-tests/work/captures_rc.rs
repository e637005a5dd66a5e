// Wrong: work owns an `Rc`; it runs on another thread than the other owners of the `Rc`.
// Instead: let the scope own the value (`scope.own`) and share `&'drv T`; no count is needed.
use std::rc::Rc;

use driver_scope::{platform::Sim, DriverScope, Error, Restart, Work};

fn probe<'drv>(scope: &DriverScope<'drv, Sim>) -> Result<Work<'drv, Sim>, Error> {
    let name = Rc::new("led");
    scope.work(move |_| {
        println!("{name}");
        Restart::No
    })
}

fn main() {}
