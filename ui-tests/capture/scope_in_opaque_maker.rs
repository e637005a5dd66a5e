// Wrong: a function returns a maker of timers, which has the scope for longer than it was lent.
// Instead: pass the scope to the maker: `impl Fn(&DriverScope<'drv, P>) -> ..`.
// Refused: explicit lifetime required in the type of `scope`
use driver_scope::{platform::Sim, DriverScope, HrTimer, Restart};

fn maker<'drv>(scope: &DriverScope<'drv, Sim>) -> impl Fn() -> Option<HrTimer<'drv, Sim>> + 'drv {
    || scope.hrtimer(|_| Restart::No).ok()
}

fn main() {}
