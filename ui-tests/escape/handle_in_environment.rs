// Wrong: a handle is stored in the environment of `enter`, which outlives the scope.
// Instead: store it in what the scope has: the closure's own variables, or `scope.alloc`.
use std::sync::Mutex;

use driver_scope::{enter, platform::Sim, HrTimer, Restart};

fn main() {
    let slot: Mutex<Option<HrTimer<'_, Sim>>> = Mutex::new(None);
    Sim::new().may_sleep(|cx| {
        enter(Sim::new(), cx, &slot, |slot, scope| {
            *slot.lock().unwrap() = scope.hrtimer(|_| Restart::No).ok();
        });
    });
}
