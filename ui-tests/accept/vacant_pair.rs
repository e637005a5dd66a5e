// Two timers that start each other.
#![forbid(unsafe_code)]

use std::sync::atomic::{AtomicBool, Ordering};

use driver_scope::platform::{Platform, Sim};
use driver_scope::{Binding, Driver, DriverScope, Error, Restart, Units};

struct Blink;

impl<P: Platform> Driver<P> for Blink {
    type Device = ();
    type Data<'drv> = &'drv AtomicBool;
    type Error = Error;

    fn probe<'drv>(_: &'drv (), scope: &DriverScope<'drv, P>) -> Result<&'drv AtomicBool, Error> {
        let lit = scope.own(AtomicBool::new(false))?;
        let (on, vacant) = scope.vacant_hrtimer()?;
        let off = scope.hrtimer(move |_| {
            lit.store(false, Ordering::Relaxed);
            let _ = on.start(10.millis());
            Restart::No
        })?;
        vacant.set(scope, move |_| {
            lit.store(true, Ordering::Relaxed);
            let _ = off.start(5.millis());
            Restart::No
        })?;
        on.start(10.millis())?;
        Ok(lit)
    }
}

fn main() {
    let sim = Sim::new();
    sim.may_sleep(|cx| {
        let blink = Binding::<Blink, Sim>::bind(sim.clone(), (), cx).unwrap();
        let lit = || blink.with(|lit| lit.load(Ordering::Relaxed));
        sim.advance(11.millis());
        assert!(lit());
        sim.advance(5.millis());
        assert!(!lit());
        sim.advance(10.millis());
        assert!(lit());
    });
}
