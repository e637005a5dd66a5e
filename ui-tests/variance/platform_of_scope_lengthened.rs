// Wrong: the platform is borrowed from the scope for ever. It is the scope's own clone, and goes with it.
// Instead: `scope.platform().clone()`.
// Refused: returning this value requires that `'drv` must outlive `'static`
use driver_scope::{platform::Sim, DriverScope};

fn lengthen<'drv>(scope: &DriverScope<'drv, Sim>) -> &'static Sim {
    scope.platform()
}

fn main() {}
