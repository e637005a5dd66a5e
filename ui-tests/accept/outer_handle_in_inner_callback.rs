// A callback of the inner scope may hold handles of the outer one, which ends later.
#![forbid(unsafe_code)]

use driver_scope::platform::Sim;
use driver_scope::{enter, Error, Restart, Units};

fn main() {
    let sim = Sim::new();
    sim.may_sleep(|cx| {
        enter(sim.clone(), cx, &(), |_, outer| {
            let first = outer.hrtimer(|_| Restart::No)?;
            enter(sim.clone(), cx, &first, |first, inner| {
                let second = inner.hrtimer(move |_| {
                    let _ = first.start(10.millis());
                    Restart::No
                })?;
                second.start(1.millis())?;
                inner.sleep(2.millis());
                Ok::<(), Error>(())
            })?;
            assert!(first.is_active());
            Ok::<(), Error>(())
        })
    })
    .unwrap();
}
