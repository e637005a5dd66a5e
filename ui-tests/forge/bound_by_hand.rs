// Wrong: a handle that needs no check is made from one that does, by hand.
// Instead: `devres.bind(scope)`, which checks that the scope is the one.
use driver_scope::{platform::Sim, Bound, Devres, DriverScope, Plain};

fn forge<'drv>(
    devres: &Devres<Plain<u32>, Sim>,
    _: &DriverScope<'drv, Sim>,
) -> Bound<'drv, Plain<u32>, Sim> {
    Bound {
        devres: devres.clone(),
    }
}

fn main() {}
