// The driver's data may have a `Drop`, and so may what callbacks capture. Both may use what the scope owns.
#![forbid(unsafe_code)]

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::Arc;

use driver_scope::platform::Sim;
use driver_scope::{Binding, Driver, DriverScope, Error, HrTimer, Restart};

struct Drops<'drv> {
    timer: HrTimer<'drv, Sim>,
    drops: &'drv Counter,
}
impl Drop for Drops<'_> {
    fn drop(&mut self) {
        assert!(!self.timer.is_active());
        self.drops.0.fetch_add(1, Ordering::Relaxed);
    }
}

struct Counter(Arc<AtomicU32>);

struct Led;
impl Driver<Sim> for Led {
    type Device = Arc<AtomicU32>;
    type Data<'drv> = Drops<'drv>;
    type Error = Error;

    fn probe<'drv>(
        device: &'drv Arc<AtomicU32>,
        scope: &DriverScope<'drv, Sim>,
    ) -> Result<Drops<'drv>, Error> {
        let drops = scope.own(Counter(Arc::clone(device)))?;
        let timer = scope.hrtimer(|_| Restart::No)?;
        let captured = Drops { timer, drops };
        scope.hrtimer(move |_| {
            // All of it, not only its fields.
            let captured = &captured;
            let _ = captured.timer.try_cancel();
            Restart::No
        })?;
        Ok(Drops { timer, drops })
    }
}

fn main() {
    let drops = Arc::new(AtomicU32::new(0));
    let sim = Sim::new();
    sim.may_sleep(|cx| {
        drop(Binding::<Led, Sim>::bind(sim.clone(), Arc::clone(&drops), cx).unwrap());
    });
    assert_eq!(drops.load(Ordering::Relaxed), 2);
}
