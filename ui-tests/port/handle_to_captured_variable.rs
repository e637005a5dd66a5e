// Wrong: a handle is kept in a variable outside of `Port::call`.
// Instead: use it inside the closure; keep the port, and call again.
use driver_scope::{platform::Sim, Driver, HrTimer, Port};

fn steal<D>(port: &Port<D, Sim>)
where
    D: for<'drv> Driver<Sim, Data<'drv> = HrTimer<'drv, Sim>>,
{
    let mut kept = None;
    let _ = port.call(|timer| kept = Some(*timer));
    assert!(kept.is_some());
}

fn main() {}
