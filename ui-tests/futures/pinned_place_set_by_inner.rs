// Wrong: a pinned place for a sleep of the outer scope is set to a sleep of the inner one, which ends first.
// Instead: a place for each scope.
// Refused: a temporary borrow escapes the closure body here
use std::pin::pin;

use driver_scope::{enter, platform::Sim, Units};

fn main() {
    Sim::new().may_sleep(|cx| {
        enter(Sim::new(), cx, &(), |_, outer| {
            let mut place = pin!(Some(outer.sleeper(1).unwrap().sleep(1.millis())));
            enter(Sim::new(), cx, &(), |_, inner| {
                place.set(Some(inner.sleeper(1).unwrap().sleep(1.millis())));
            });
            place.set(None);
        });
    });
}
