// Wrong: the way to wait, which holds a `MaySleep`, is taken into a callback.
// Instead: `Poll::spinning`, made in the callback.
use core::time::Duration;
use driver_scope::*;

registers! {
    Regs: 0x4 {
        0x0 => rw STATUS: u32,
    }
}

fn probe<'drv, P: Platform>(scope: &DriverScope<'drv, P>, regs: Mmio<'drv, Regs, P>) -> Result<HrTimer<'drv, P>, Error> {
    let how = Poll::sleeping(scope.platform(), scope.may_sleep(), Duration::ZERO, Duration::ZERO);
    scope.hrtimer(move |_| {
        let _ = regs.poll(STATUS, how, |_| true);
        Restart::No
    })
}

fn main() {}
