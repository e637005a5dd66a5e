// Wrong: driver data derives `Default`, which would make a handle of nothing.
// Instead: `Option<HrTimer<'drv, P>>`, or data that is made in `probe`.
// Refused: the trait bound `HrTimer<'_, Sim>: Default` is not satisfied
use driver_scope::{platform::Sim, HrTimer};

#[derive(Default)]
struct Data<'drv> {
    poll: HrTimer<'drv, Sim>,
}

fn main() {}
