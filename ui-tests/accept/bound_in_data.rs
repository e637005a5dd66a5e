// The driver's data keeps the handle that needs no check, for whenever the scope is lent; the world has the one that is checked.
#![forbid(unsafe_code)]

use std::sync::atomic::{AtomicU32, Ordering};

use driver_scope::platform::{Platform, Sim};
use driver_scope::{Binding, Bound, Devres, Driver, DriverScope, Error, Plain};

struct Led;

struct Data<'drv, P: Platform> {
    lit: Bound<'drv, Plain<AtomicU32>, P>,
    outside: Devres<Plain<AtomicU32>, P>,
}

impl<P: Platform> Driver<P> for Led {
    type Device = ();
    type Data<'drv> = Data<'drv, P>;
    type Error = Error;

    fn probe<'drv>(_: &'drv (), scope: &DriverScope<'drv, P>) -> Result<Data<'drv, P>, Error> {
        let lit = scope.devres::<Plain<AtomicU32>>(AtomicU32::new(1))?;
        let outside = lit.devres();
        Ok(Data { lit, outside })
    }
}

fn main() -> Result<(), Error> {
    let sim = Sim::new();
    sim.may_sleep(|cx| {
        let led = Binding::<Led, Sim>::bind(sim.clone(), (), cx).map_err(|e| e.error)?;
        let other = Binding::<Led, Sim>::bind(sim.clone(), (), cx).map_err(|e| e.error)?;
        let outside = led.with(|data| data.outside.clone());
        led.with_scope(cx, |data, scope| {
            data.lit.access(scope).fetch_add(1, Ordering::Relaxed);
            // Recognised again.
            let bound = outside.bind(scope).ok_or(Error::Gone)?;
            assert_eq!(bound.access(scope).load(Ordering::Relaxed), 2);
            Ok::<(), Error>(())
        })?;
        // Not by another scope.
        assert!(other.with_scope(cx, |_, scope| outside.bind(scope).is_none()));
        assert!(outside.try_access().is_some());
        drop(led);
        assert!(outside.try_access().is_none());
        Ok(())
    })
}
