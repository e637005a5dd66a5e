// Wrong: a handle is put under a lock that the scope owns, in a place for handles that live for ever.
// Instead: the lock in `scope.alloc(Lock::new(..))`, if what it holds needs no `Drop`.
// Refused: assignment requires that `'1` must outlive `'static`
use driver_scope::{platform::Sim, DriverScope, Error, HrTimer, Lock, Restart};

fn probe(scope: &DriverScope<'_, Sim>) -> Result<(), Error> {
    let place = scope.own(Lock::<Option<HrTimer<'static, Sim>>, Sim>::new(None))?;
    *place.lock() = scope.hrtimer(|_| Restart::No).ok();
    Ok(())
}

fn main() {}
