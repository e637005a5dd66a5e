// Wrong: the destructor of what a callback captures registers a timer. It runs when the scope is gone but for its memory.
// Instead: `scope.on_remove(..)` for what is to be done at the end; nothing can be registered then.
// Refused: a scope can be used only where it was lent: not in a callback, in driver data or on another thread
use driver_scope::{platform::Sim, DriverScope, Error, Restart};

struct Late<'s, 'drv>(&'s DriverScope<'drv, Sim>);
impl Drop for Late<'_, '_> {
    fn drop(&mut self) {
        let _ = self.0.hrtimer(|_| Restart::No);
    }
}

fn probe(scope: &DriverScope<'_, Sim>) -> Result<(), Error> {
    let late = Late(scope);
    scope.on_remove(move |_| drop(late))
}

fn main() {}
