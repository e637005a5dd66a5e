// Wrong: a lock is taken in `probe` and its guard moved into a callback.
// Instead: `move` the reference to the lock in, and take it in the callback, for as long as needed.
use driver_scope::{platform::Sim, DriverScope, Error, HrTimer, Lock, Restart};

fn probe<'drv>(scope: &DriverScope<'drv, Sim>) -> Result<HrTimer<'drv, Sim>, Error> {
    let lock: &'drv Lock<u32, Sim> = scope.own(Lock::new(0))?;
    let mut guard = lock.lock();
    scope.hrtimer(move |_| {
        *guard += 1;
        Restart::No
    })
}

fn main() {}
