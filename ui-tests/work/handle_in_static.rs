// Wrong: the handle of work is kept in a static, where anybody finds it after the driver is gone.
// Instead: a `Port`, which is refused then.
use driver_scope::{platform::Sim, DriverScope, Once, Work};

static WORK: Once<Work<'static, Sim>> = Once::new();

fn keep<'drv>(_: &DriverScope<'drv, Sim>, work: Work<'drv, Sim>) {
    let _ = WORK.set(work);
}

fn main() {}
