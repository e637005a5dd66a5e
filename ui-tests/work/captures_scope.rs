// Wrong: work uses the scope, which is lent to probe alone.
// Instead: make what work needs in probe, and `move` the handles in.
use driver_scope::{platform::Sim, DriverScope, Error, Restart, Work};

fn probe<'drv>(scope: &DriverScope<'drv, Sim>) -> Result<Work<'drv, Sim>, Error> {
    scope.work(move |_| {
        let _ = scope.own(0);
        Restart::No
    })
}

fn main() {}
