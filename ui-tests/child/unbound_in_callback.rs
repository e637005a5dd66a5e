// Wrong: a callback unbinds a child. That waits for the child's callbacks, perhaps on the processor that this one runs on.
// Instead: where one may sleep: a port call from a thread, or work; or leave it to the parent's end.
use driver_scope::{platform::Sim, Child, Driver, DriverScope, Error, HrTimer, Restart};

fn probe<'drv, D: Driver<Sim>>(
    scope: &DriverScope<'drv, Sim>,
    child: Child<'drv, D, Sim>,
) -> Result<HrTimer<'drv, Sim>, Error> {
    scope.hrtimer(move |_| {
        let _ = child.unbind(scope.may_sleep());
        Restart::No
    })
}

fn main() {}
