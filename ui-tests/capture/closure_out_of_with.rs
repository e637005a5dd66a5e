// Wrong: `Binding::with` returns a closure that has the data's handle.
// Instead: call the closure inside; or keep the `Binding` and ask each time.
// Refused: returning this value requires that `'1` must outlive `'2`
use driver_scope::{platform::Sim, Binding, Driver, HrTimer};

fn stopper<D>(binding: &Binding<D, Sim>) -> impl Fn() + '_
where
    D: for<'drv> Driver<Sim, Data<'drv> = HrTimer<'drv, Sim>>,
{
    binding.with(|timer| {
        let timer = *timer;
        move || {
            timer.try_cancel();
        }
    })
}

fn main() {}
