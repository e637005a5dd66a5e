// Wrong: the handle that needs no check leaves `enter`, and the scope with it.
// Instead: return the checked one: `scope.devres::<Plain<u32>>(1)?.devres()`.
use driver_scope::{enter, platform::Sim, Plain};

fn main() {
    let sim = Sim::new();
    let _bound = sim.may_sleep(|cx| {
        enter(sim.clone(), cx, &(), |(), scope| {
            scope.devres::<Plain<u32>>(1)
        })
    });
}
