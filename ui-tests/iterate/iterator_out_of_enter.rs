// Wrong: an iterator that makes timers leaves the scope, and is asked for the next when that has ended.
// Instead: collect inside.
// Refused: returning this value requires that `'1` must outlive `'2`
use std::iter::from_fn;

use driver_scope::{enter, platform::Sim, Restart};

fn main() {
    Sim::new().may_sleep(|cx| {
        let mut timers = enter(Sim::new(), cx, &(), |_, scope| {
            from_fn(|| scope.hrtimer(|_| Restart::No).ok())
        });
        assert!(timers.next().is_some());
    });
}
