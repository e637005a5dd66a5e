// Wrong: a task borrows a driver's data by `Binding::with`, and awaits outside.
// Instead: poll the future inside of `with`, or of `Port::call`.
// Refused: returning this value requires that `'1` must outlive `'2`
use driver_scope::{platform::Sim, Binding, Driver, Sleeper, Units};

async fn nap<D>(binding: &Binding<D, Sim>)
where
    D: for<'drv> Driver<Sim, Data<'drv> = Sleeper<'drv, Sim>>,
{
    let _ = binding.with(|sleeper| sleeper.sleep(1.millis())).await;
}

fn main() {}
