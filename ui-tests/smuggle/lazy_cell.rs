// Wrong: a value that is made when it is first used has a scope in its closure, and is used when that has ended.
// Instead: use it inside.
// Refused: returning this value requires that `'1` must outlive `'2`
use std::cell::LazyCell;

use driver_scope::{enter, platform::Sim, Restart};

fn main() {
    Sim::new().may_sleep(|cx| {
        let late = enter(Sim::new(), cx, &(), |_, scope| {
            LazyCell::new(|| scope.hrtimer(|_| Restart::No).is_ok())
        });
        assert!(*late);
    });
}
