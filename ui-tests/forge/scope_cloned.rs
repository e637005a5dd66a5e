// Wrong: a second scope is made out of the first.
// Instead: pass the reference on.
use driver_scope::{platform::Sim, DriverScope};

fn twice<'drv>(scope: &DriverScope<'drv, Sim>) -> DriverScope<'drv, Sim> {
    scope.clone()
}

fn main() {}
