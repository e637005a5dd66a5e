// Wrong: a callback revokes a value. That waits for readers, and a callback may not.
// Instead: revoke it in `remove` or in an `on_remove` action, or leave it to the drop of the `Revocable`.
use driver_scope::{platform::Sim, DriverScope, Error, HrTimer, Restart, Revocable};

fn probe<'drv>(scope: &DriverScope<'drv, Sim>) -> Result<HrTimer<'drv, Sim>, Error> {
    let number = scope.own(Revocable::new(scope.platform().clone(), 1))?;
    let cx = scope.may_sleep();
    scope.hrtimer(move |_| {
        let _ = number.revoke(cx);
        Restart::No
    })
}

fn main() {}
