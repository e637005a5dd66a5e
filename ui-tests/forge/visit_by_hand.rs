// Wrong: a visit behind a gate is got at without the object that the gate belongs to.
// Instead: `try_access`, of the object.
use driver_scope::sections::Visit;

fn main() {}
