// Wrong: `enter` panics and is caught, and a handle is found in a variable outside.
// Instead: a panic ends the scope as a return does.
// Refused: a temporary borrow escapes the closure body here
use std::panic::{catch_unwind, AssertUnwindSafe};

use driver_scope::{enter, platform::Sim, Restart};

fn main() {
    Sim::new().may_sleep(|cx| {
        let mut kept = None;
        let caught = catch_unwind(AssertUnwindSafe(|| {
            enter(Sim::new(), cx, &(), |_, scope| {
                kept = scope.hrtimer(|_| Restart::No).ok();
                panic!();
            })
        }));
        assert!(caught.is_err() && kept.is_some_and(|timer| timer.is_active()));
    });
}
