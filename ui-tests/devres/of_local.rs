// Wrong: a resource borrows a local variable of `probe`. It is released by the scope, later, or by whoever drops the last handle.
// Instead: move the value in, as `Plain<T>`, or borrow from the scope: `scope.own(..)`, `scope.alloc(..)`.
use driver_scope::{platform::Sim, Bound, DriverScope, Error};

fn probe<'drv>(scope: &DriverScope<'drv, Sim>) -> Result<Bound<'drv, &'static u32, Sim>, Error> {
    let count = 1;
    scope.devres::<&'static u32>(&count)
}

fn main() {}
