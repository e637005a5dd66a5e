// Wrong: `call` is asked for data that lives for ever, so that its handles could be kept.
// Instead: `|data| ..`, or a function that is generic in the lifetime: `fn f(data: &Data<'_>)`.
use driver_scope::{platform::Sim, Driver, HrTimer, Port};

fn steal<D>(port: &Port<D, Sim>)
where
    D: for<'drv> Driver<Sim, Data<'drv> = HrTimer<'drv, Sim>>,
{
    let _ = port.call(|data: &HrTimer<'static, Sim>| {
        let _kept: HrTimer<'static, Sim> = *data;
    });
}

fn main() {}
