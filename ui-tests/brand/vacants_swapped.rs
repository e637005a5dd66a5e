// Wrong: swaps the vacants of two scopes, so that a callback of the inner one would sit in a timer of the outer, and outlive its scope.
// Instead: fill each vacant in the scope that made it.
use driver_scope::platform::Sim;
use driver_scope::{enter, Error};

fn main() {
    let sim = Sim::new();
    let _ = sim.may_sleep(|cx| {
        enter(sim.clone(), cx, &sim, |sim, outer| {
            let (_, mut far) = outer.vacant_hrtimer()?;
            enter(sim.clone(), cx, &(), |(), inner| {
                let (_, mut near) = inner.vacant_hrtimer()?;
                std::mem::swap(&mut far, &mut near);
                Ok::<(), Error>(())
            })
        })
    });
}
