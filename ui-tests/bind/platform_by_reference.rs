// Wrong: `enter` is given a reference to the platform.
// Instead: `sim.clone()`, which is the same platform.
use driver_scope::{enter, platform::Sim, MaySleep};

fn run(sim: &Sim, cx: MaySleep<'_>) {
    enter(sim, cx, &(), |_, _| ());
}

fn main() {}
