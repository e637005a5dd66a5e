// A callback of one driver uses the resource of another, which may be gone.
#![forbid(unsafe_code)]

use std::sync::atomic::{AtomicU32, Ordering};

use driver_scope::platform::{Platform, Sim};
use driver_scope::{
    enter, Binding, Devres, Driver, DriverScope, Error, Plain, Restart, Revocable, Units,
};

type Count<P> = Devres<Plain<AtomicU32>, P>;

struct Clock;
impl<P: Platform> Driver<P> for Clock {
    type Device = (Count<P>, Revocable<AtomicU32, P>);
    type Data<'drv> = ();
    type Error = Error;

    fn probe<'drv>(
        (count, total): &'drv (Count<P>, Revocable<AtomicU32, P>),
        scope: &DriverScope<'drv, P>,
    ) -> Result<(), Error> {
        let count = count.clone();
        let tick = scope.hrtimer(move |t| {
            total.try_access_with(|total| total.fetch_add(1, Ordering::Relaxed));
            match count.try_access() {
                Some(count) => {
                    count.get().fetch_add(1, Ordering::Relaxed);
                    t.forward(10.millis())
                }
                None => Restart::No,
            }
        })?;
        tick.start(10.millis())
    }
}

fn main() -> Result<(), Error> {
    let sim = Sim::new();
    sim.may_sleep(|cx| {
        let clock = enter(sim.clone(), cx, &(), |(), scope| {
            let count = scope.devres::<Plain<AtomicU32>>(AtomicU32::new(0))?;
            let device = (
                count.devres(),
                Revocable::new(sim.clone(), AtomicU32::new(0)),
            );
            let clock =
                Binding::<Clock, Sim>::bind(sim.clone(), device, cx).map_err(|e| e.error)?;
            scope.sleep(55.millis());
            assert_eq!(count.access(scope).load(Ordering::Relaxed), 5);
            Ok::<_, Error>(clock)
        })?;
        sim.advance(1.secs());
        // The tick after the end of the scope was the last.
        let total = clock
            .device()
            .1
            .try_access_with(|n| n.load(Ordering::Relaxed));
        assert_eq!(total, Some(6));
        Ok(())
    })
}
