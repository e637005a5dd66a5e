// Wrong: the token of a scope is kept for as long as the driver is bound.
// Instead: ask for it where it is needed, `scope.may_sleep()`.
use driver_scope::{platform::Sim, DriverScope, MaySleep};

fn keep<'drv>(scope: &DriverScope<'drv, Sim>) -> MaySleep<'drv> {
    scope.may_sleep()
}

fn main() {}
