// Wrong: work does not say whether it is to be called again.
// Instead: `Restart::No` at the end, or `w.requeue()`.
use driver_scope::{platform::Sim, DriverScope, Error, Work};

fn probe<'drv>(scope: &DriverScope<'drv, Sim>) -> Result<Work<'drv, Sim>, Error> {
    scope.work(|w| {
        let _ = w.now();
    })
}

fn main() {}
