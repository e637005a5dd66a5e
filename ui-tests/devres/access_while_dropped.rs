// Wrong: the handle is dropped, and with it perhaps the resource, while what it lent without a check is still used.
// Instead: keep the `Bound` as long.
use driver_scope::{platform::Sim, Bound, DriverScope, Plain};

fn read<'drv>(bound: Bound<'drv, Plain<u32>, Sim>, scope: &DriverScope<'drv, Sim>) -> u32 {
    let count = bound.access(scope);
    drop(bound);
    *count
}

fn main() {}
