// Wrong: a handle leaves `Port::call`. Handles are `Copy`, but live no longer than their driver.
// Instead: use it inside the closure; keep the port, and call again.
use driver_scope::{platform::Sim, Driver, HrTimer, Port};

fn steal<D>(port: &Port<D, Sim>)
where
    D: for<'drv> Driver<Sim, Data<'drv> = HrTimer<'drv, Sim>>,
{
    let _timer = port.call(|timer| *timer);
}

fn main() {}
