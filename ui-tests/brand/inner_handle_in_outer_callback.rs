// Wrong: a callback of the outer scope holds a handle of the inner scope, which ends first.
// Instead: the other way round: a callback of the inner scope may hold handles of the outer.
use driver_scope::{enter, platform::Sim, Restart, Units};

fn main() {
    Sim::new().may_sleep(|cx| {
        enter(Sim::new(), cx, &(), |_, outer| {
            enter(Sim::new(), cx, &(), |_, inner| {
                let timer = inner.hrtimer(|_| Restart::No).unwrap();
                let _ = outer.hrtimer(move |_| {
                    let _ = timer.start(1.millis());
                    Restart::No
                });
            });
        });
    });
}
