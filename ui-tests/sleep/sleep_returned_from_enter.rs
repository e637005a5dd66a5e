// Wrong: a sleep is awaited after its scope has ended.
// Instead: run the future inside `enter`, with the `block_on` of an executor.
use driver_scope::{enter, platform::Sim, Units};

fn main() {
    let sim = Sim::new();
    let sleep = sim.may_sleep(|cx| {
        enter(sim.clone(), cx, &(), |(), scope| {
            let sleeper = scope.sleeper(1).unwrap();
            sleeper.sleep(1.millis())
        })
    });
    drop(sleep);
}
