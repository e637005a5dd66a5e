// Wrong: a shared cell is made of a variable of the outer scope, and set by the inner one.
// Instead: a cell in the inner scope.
// Refused: a temporary borrow escapes the closure body here
use std::cell::Cell;

use driver_scope::{enter, platform::Sim};

fn main() {
    Sim::new().may_sleep(|cx| {
        enter(Sim::new(), cx, &(), |_, outer| {
            let mut last = outer.sleeper(0).unwrap();
            let cell = Cell::from_mut(&mut last);
            enter(Sim::new(), cx, &(), |_, inner| {
                cell.set(inner.sleeper(0).unwrap())
            });
            let _ = last.now();
        });
    });
}
