// Wrong: memory that is not initialised yet, of the outer scope, is written with a handle of the inner one.
// Instead: write it with a handle of its own scope.
// Refused: a temporary borrow escapes the closure body here
use std::mem::MaybeUninit;

use driver_scope::{enter, platform::Sim, HrTimer, Restart};

fn main() {
    Sim::new().may_sleep(|cx| {
        let mut place: MaybeUninit<HrTimer<'_, Sim>> = MaybeUninit::uninit();
        enter(Sim::new(), cx, &(), |_, scope| {
            place.write(scope.hrtimer(|_| Restart::No).unwrap());
        });
        drop(place);
    });
}
