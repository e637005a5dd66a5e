// Wrong: a guard is taken in `probe` and moved into a callback, which would keep the value from being revoked for as long.
// Instead: `move` the reference to the `Revocable` in, and access it in the callback.
use driver_scope::{platform::Sim, DriverScope, Error, HrTimer, Restart, Revocable};

fn probe<'drv>(scope: &DriverScope<'drv, Sim>) -> Result<HrTimer<'drv, Sim>, Error> {
    let number: &'drv Revocable<u32, Sim> =
        scope.own(Revocable::new(scope.platform().clone(), 1))?;
    let guard = number.try_access().ok_or(Error::Gone)?;
    scope.hrtimer(move |_| {
        assert_eq!(*guard, 1);
        Restart::No
    })
}

fn main() {}
