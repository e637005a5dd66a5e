// Wrong: a guard is taken in `probe` and moved into a callback, so that the scope would wait for itself.
// Instead: `move` the `Devres` in, and access it in the callback; a resource of the same scope needs neither.
use driver_scope::{
    platform::Sim, Devres, DriverScope, Error, HrTimer, Mmio, registers, Restart,
};

registers! {
    Uart: 4 {
        0 => rw DATA: u8,
    }
}

fn probe<'drv>(
    scope: &DriverScope<'drv, Sim>,
    outside: &'drv Devres<Mmio<'static, Uart, Sim>, Sim>,
) -> Result<HrTimer<'drv, Sim>, Error> {
    let guard = outside.try_access().ok_or(Error::Gone)?;
    scope.hrtimer(move |_| {
        guard.get().write(DATA, 1);
        Restart::No
    })
}

fn main() {}
