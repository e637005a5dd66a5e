// Wrong: a function returns a closure with a handle, and says that it holds nothing with a lifetime.
// Instead: `impl Fn() + 'drv`, of a `HrTimer<'drv, P>`.
// Refused: returning this value requires that `'1` must outlive `'static`
use driver_scope::{platform::Sim, HrTimer};

fn stopper(timer: HrTimer<'_, Sim>) -> impl Fn() + 'static {
    move || {
        timer.try_cancel();
    }
}

fn main() {}
