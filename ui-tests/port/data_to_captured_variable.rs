// Wrong: the driver's data is kept in a variable outside of `Port::call`.
// Instead: use it inside the closure; call again when it is needed again.
use driver_scope::{platform::Sim, Driver, Port};

fn steal<D>(port: &Port<D, Sim>)
where
    D: for<'drv> Driver<Sim, Data<'drv> = u32>,
{
    let mut kept = None;
    let _ = port.call(|data| kept = Some(data));
    assert!(kept.is_some());
}

fn main() {}
