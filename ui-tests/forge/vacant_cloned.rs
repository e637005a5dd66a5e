// Wrong: a timer's place for a callback is copied, so that it could be filled twice.
// Instead: a timer for each; or one callback that decides what to do.
use driver_scope::{platform::Sim, Vacant};

fn double<'drv>(vacant: Vacant<'drv, Sim>) -> (Vacant<'drv, Sim>, Vacant<'drv, Sim>) {
    (vacant.clone(), vacant)
}

fn main() {}
