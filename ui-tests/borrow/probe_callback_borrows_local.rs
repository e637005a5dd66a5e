// Wrong: a callback borrows a local of `probe`, which is gone when `probe` returns.
// Instead: give the value to the scope (`let ticks = scope.own(AtomicU32::new(0))?`) and `move` the reference in.
use std::sync::atomic::{AtomicU32, Ordering};

use driver_scope::{platform::Sim, Driver, DriverScope, Error, Restart, Units};

struct Led;
impl Driver<Sim> for Led {
    type Device = ();
    type Data<'drv> = ();
    type Error = Error;

    fn probe<'drv>(_: &'drv (), scope: &DriverScope<'drv, Sim>) -> Result<(), Error> {
        let ticks = AtomicU32::new(0);
        let counter = &ticks;
        let timer = scope.hrtimer(move |_| {
            counter.fetch_add(1, Ordering::Relaxed);
            Restart::No
        })?;
        timer.start(1.millis())
    }
}

fn main() {}
