// Wrong: the API of the Leakpocalypse: a guard whose `Drop` waits for a callback, so that this may borrow. The guard is forgotten.
// Instead: let callbacks borrow what the scope has (`env`, the device, `scope.own`): it is the scope that ends them, not the guard.
// Refused: the parameter type `impl FnMut() + Send` may not live long enough
use driver_scope::{platform::Sim, DriverScope, Error, HrTimer, Restart};

struct JoinGuard<'a>(HrTimer<'a, Sim>);
impl Drop for JoinGuard<'_> {
    fn drop(&mut self) {
        while self.0.is_active() {}
    }
}

fn scoped<'a>(
    scope: &DriverScope<'a, Sim>,
    mut work: impl FnMut() + Send,
) -> Result<JoinGuard<'a>, Error> {
    let timer = scope.hrtimer(move |_| {
        work();
        Restart::No
    })?;
    Ok(JoinGuard(timer))
}

fn main() {}
