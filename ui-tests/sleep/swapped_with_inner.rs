// Wrong: a pending sleep of an inner scope is swapped into a variable of the outer one's, to be polled when the inner scope has ended.
// Instead: keep a sleep where its own scope is.
use core::mem::swap;
use driver_scope::{enter, platform::Sim, Units};

fn main() {
    let sim = Sim::new();
    sim.may_sleep(|cx| {
        enter(sim.clone(), cx, &(), |(), outer| {
            let mut of_outer = outer.sleeper(1).unwrap().sleep(1.millis());
            enter(sim.clone(), cx, &(), |(), inner| {
                let mut of_inner = inner.sleeper(1).unwrap().sleep(1.millis());
                swap(&mut of_outer, &mut of_inner);
            });
            drop(of_outer);
        });
    });
}
