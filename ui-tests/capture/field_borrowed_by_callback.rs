// Wrong: without `move`, a callback borrows the field that it mentions, of a struct on the stack.
// Instead: `move`, which takes the field along.
// Refused: closure may outlive the current function, but it borrows `pair.first`, which is owned by the current function
use driver_scope::{platform::Sim, DriverScope, Error, HrTimer, Restart, Units};

struct Pair<'drv> {
    first: HrTimer<'drv, Sim>,
    count: u32,
}

fn probe<'drv>(scope: &DriverScope<'drv, Sim>, pair: Pair<'drv>) -> Result<u32, Error> {
    scope.hrtimer(|_| {
        let _ = pair.first.start(1.millis());
        Restart::No
    })?;
    Ok(pair.count)
}

fn main() {}
