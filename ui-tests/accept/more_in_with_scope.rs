// A driver that registers more while it is bound; the place for what is made then is in its data.
#![forbid(unsafe_code)]

use driver_scope::platform::{Platform, Sim};
use driver_scope::{Binding, Driver, DriverScope, Error, HrTimer, Lock, Restart, Units};

struct Led;

struct Data<'drv, P: Platform> {
    blink: &'drv Lock<Option<HrTimer<'drv, P>>, P>,
}

impl<P: Platform> Driver<P> for Led {
    type Device = ();
    type Data<'drv> = Data<'drv, P>;
    type Error = Error;

    fn probe<'drv>(_: &'drv (), scope: &DriverScope<'drv, P>) -> Result<Data<'drv, P>, Error> {
        places(scope)
    }
}

fn places<'drv, P: Platform>(scope: &DriverScope<'drv, P>) -> Result<Data<'drv, P>, Error> {
    Ok(Data {
        blink: scope.alloc(Lock::new(None))?,
    })
}

fn main() {
    let sim = Sim::new();
    sim.may_sleep(|cx| {
        let led = Binding::<Led, Sim>::bind(sim.clone(), (), cx).unwrap();
        led.with_scope(cx, |data, scope| {
            *data.blink.lock() = Some(scope.hrtimer(|t| t.restart_after(1.millis()))?);
            Ok::<(), Error>(())
        })
        .unwrap();
        led.with(|data| {
            let blink = *data.blink.lock();
            blink.map(|timer| timer.start(1.millis()))
        });
        sim.advance(5.millis());
        assert!(led.with(|data| data.blink.lock().unwrap().is_active()));
    });
}
