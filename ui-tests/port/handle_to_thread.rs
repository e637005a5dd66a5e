// Wrong: a call copies a handle and gives it to a thread that does not end with the call.
// Instead: give a clone of the port to the thread, and call there.
use driver_scope::{platform::Sim, Driver, HrTimer, Port};

/// As `std::thread::spawn`.
fn spawn(_: impl FnOnce() + Send + 'static) {}

fn watch<D>(port: &Port<D, Sim>)
where
    D: for<'drv> Driver<Sim, Data<'drv> = HrTimer<'drv, Sim>>,
{
    let _ = port.call(|timer| {
        let timer = *timer;
        spawn(move || drop(timer.is_active()));
    });
}

fn main() {}
