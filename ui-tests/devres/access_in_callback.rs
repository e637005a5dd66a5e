// Wrong: a callback accesses a resource without a check: that takes the scope, which callbacks do not have.
// Instead: `move` a `Devres` in; or do without: what is made from the scope (here: `scope.own(1)`) needs no check in a callback.
use driver_scope::{platform::Sim, DriverScope, Error, HrTimer, Plain, Restart};

fn probe<'drv>(scope: &DriverScope<'drv, Sim>) -> Result<HrTimer<'drv, Sim>, Error> {
    let bound = scope.devres::<Plain<u32>>(1)?;
    scope.hrtimer(move |_| {
        assert_eq!(*bound.access(scope), 1);
        Restart::No
    })
}

fn main() {}
