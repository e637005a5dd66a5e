// Wrong: a handle is stored through a clone of an `Rc` whose other clone outlives the scope.
// Instead: make the `Rc` inside the scope.
use std::cell::Cell;
use std::rc::Rc;

use driver_scope::{enter, platform::Sim, Restart};

fn main() {
    let slot = Rc::new(Cell::new(None));
    let clone = Rc::clone(&slot);
    Sim::new().may_sleep(|cx| {
        enter(Sim::new(), cx, &(), |_, scope| {
            clone.set(scope.hrtimer(|_| Restart::No).ok());
        });
    });
    drop(slot);
}
