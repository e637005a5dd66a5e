// Wrong: a child of a type that is no driver.
// Instead: the type that `Driver` is implemented for.
use driver_scope::{platform::Sim, DriverScope};

struct Function;

fn add(scope: &DriverScope<'_, Sim>) {
    let _ = scope.child::<Function>(());
}

fn main() {}
