// Wrong: work of the outer scope gets its callback by the inner one, and so in memory that is free first.
// Instead: by its own scope.
// Refused: argument requires that `'1` must outlive `'static`
use driver_scope::{enter, platform::Sim, Restart};

fn main() {
    Sim::new().may_sleep(|cx| {
        enter(Sim::new(), cx, &(), |_, outer| {
            let (_, place) = outer.vacant_work().unwrap();
            enter(Sim::new(), cx, &(), |_, inner| {
                let _ = place.set(inner, |_| Restart::No);
            });
        });
    });
}
