// Wrong: a kind of registration without `unsafe`. Its author promises that nothing calls the driver after `shut`, and no compiler sees that.
// Instead: `unsafe impl`, where the source is, with the reason.
use driver_scope::event::Outcome;
use driver_scope::platform::registration::Registration;
use driver_scope::{platform::Sim, MaySleep};

struct Edge;

impl Registration<Sim> for Edge {
    const KIND: &'static str = "edge";

    fn shut(&self, _: &Sim, _: MaySleep<'_>, _: &dyn Fn()) -> Outcome {
        Outcome::Idle
    }
}

fn main() {}
