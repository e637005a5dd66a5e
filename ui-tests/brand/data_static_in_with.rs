// Wrong: `with` is asked for data that lives for ever, so that its handles could be kept.
// Instead: `|data| ..`, or a function that is generic in the lifetime: `fn f(data: &Data<'_>)`.
use driver_scope::{platform::Sim, Binding, Driver, HrTimer};

fn steal<D>(binding: &Binding<D, Sim>)
where
    D: for<'drv> Driver<Sim, Data<'drv> = HrTimer<'drv, Sim>>,
{
    binding.with(|data: &HrTimer<'static, Sim>| {
        let _kept: HrTimer<'static, Sim> = *data;
    });
}

fn main() {}
