// Wrong: one device's handle is stored in the other device's data; nobody knows which is removed first.
// Instead: let the two meet outside: `a.with(|a| b.with(|b| ..))` for the length of a call.
use driver_scope::{platform::Sim, Binding, Driver, HrTimer, Lock};

struct Data<'drv> {
    timer: HrTimer<'drv, Sim>,
    other: &'drv Lock<Option<HrTimer<'drv, Sim>>, Sim>,
}

fn mix<D>(a: &Binding<D, Sim>, b: &Binding<D, Sim>)
where
    D: for<'drv> Driver<Sim, Data<'drv> = Data<'drv>>,
{
    a.with(|a| b.with(|b| *b.other.lock() = Some(a.timer)));
}

fn main() {}
