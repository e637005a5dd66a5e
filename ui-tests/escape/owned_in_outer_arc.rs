// Wrong: a reference to an owned value is stored through an `Arc` that outlives the scope.
// Instead: put the value itself into the `Arc`; a callback may hold a clone of it.
use std::sync::{Arc, Mutex};

use driver_scope::{enter, platform::Sim};

fn main() {
    let slot = Arc::new(Mutex::new(None));
    let clone = Arc::clone(&slot);
    Sim::new().may_sleep(|cx| {
        enter(Sim::new(), cx, &(), |_, scope| {
            *clone.lock().unwrap() = scope.own(7).ok();
        });
    });
    drop(slot);
}
