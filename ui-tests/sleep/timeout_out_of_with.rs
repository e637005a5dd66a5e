// Wrong: a limited future is carried out of the call that lent the driver's data.
// Instead: await it in there.
use std::future::ready;

use driver_scope::{platform::Sim, Binding, Driver, Sleeper, Units};

fn later<D>(binding: &Binding<D, Sim>)
where
    D: for<'drv> Driver<Sim, Data<'drv> = Sleeper<'drv, Sim>>,
{
    let limited = binding.with(|sleeper| sleeper.timeout(1.millis(), ready(())));
    drop(limited);
}

fn main() {}
