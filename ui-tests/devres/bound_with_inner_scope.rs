// Wrong: a resource of the outer scope is accessed without a check on the strength of the inner scope.
// Instead: access it by its own scope, before, and pass in what is needed; or use the checked handle.
use driver_scope::{enter, platform::Sim, Error, Plain};

fn main() {
    let sim = Sim::new();
    let _ = sim.may_sleep(|cx| {
        enter(sim.clone(), cx, &(), |(), outer| {
            let bound = outer.devres::<Plain<u32>>(1)?;
            enter(sim.clone(), cx, &bound, |bound, inner| {
                assert_eq!(*bound.access(inner), 1);
            });
            Ok::<(), Error>(())
        })
    });
}
