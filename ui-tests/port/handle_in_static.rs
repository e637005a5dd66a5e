// Wrong: a call copies a handle into a `static`.
// Instead: put the port there.
use driver_scope::{platform::Sim, Driver, HrTimer, Once, Port};

static TIMER: Once<HrTimer<'static, Sim>> = Once::new();

fn publish<D>(port: &Port<D, Sim>)
where
    D: for<'drv> Driver<Sim, Data<'drv> = HrTimer<'drv, Sim>>,
{
    let _ = port.call(|timer| drop(TIMER.set(*timer)));
}

fn main() {}
