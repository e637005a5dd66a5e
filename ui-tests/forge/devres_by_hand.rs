// Wrong: a handle to a resource is made by hand.
// Instead: `scope.devres::<Plain<u32>>(1)?.devres()`.
use driver_scope::{platform::Sim, Devres, Plain};

fn main() {
    let _ = Devres::<Plain<u32>, Sim> {};
}
