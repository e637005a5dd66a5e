// Wrong: work keeps the proof that it may sleep for its next run, or for others.
// Instead: ask for it where it is needed, `w.may_sleep()`.
use driver_scope::{platform::Sim, DriverScope, Error, Restart, Work};

fn probe<'drv>(scope: &DriverScope<'drv, Sim>) -> Result<Work<'drv, Sim>, Error> {
    let mut kept = None;
    scope.work(move |w| {
        kept = Some(w.may_sleep());
        Restart::No
    })
}

fn main() {}
