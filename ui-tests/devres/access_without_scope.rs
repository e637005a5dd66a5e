// Wrong: a resource is accessed without a check and without its scope, which would prove that it is there.
// Instead: `bound.access(scope)`; where there is no scope, `try_access`.
use driver_scope::{platform::Sim, Bound, Plain};

fn read(bound: &Bound<'_, Plain<u32>, Sim>) -> u32 {
    *bound.access()
}

fn main() {}
