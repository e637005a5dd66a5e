// Wrong: a callback owns an `Rc`; it runs in another context than the other owners of the `Rc`.
// Instead: let the scope own the value (`scope.own`) and share `&'drv T`; no count is needed.
use std::rc::Rc;

use driver_scope::{platform::Sim, DriverScope, Error, HrTimer, Restart};

fn probe<'drv>(scope: &DriverScope<'drv, Sim>) -> Result<HrTimer<'drv, Sim>, Error> {
    let name = Rc::new("led");
    scope.hrtimer(move |_| {
        println!("{name}");
        Restart::No
    })
}

fn main() {}
