// A port to a driver is kept in the driver's own data, in its callback, and in a `static`, where it outlives the driver.
#![forbid(unsafe_code)]

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::Mutex;

use driver_scope::platform::Host;
use driver_scope::{Binding, Driver, DriverScope, Error, HrTimer, Port, Restart, Units};

static LEDS: Mutex<Vec<Port<Led, Host>>> = Mutex::new(Vec::new());

struct Led;

struct Data<'drv> {
    blinks: &'drv AtomicU32,
    blink: HrTimer<'drv, Host>,
    myself: Port<Led, Host>,
}

impl Driver<Host> for Led {
    type Device = ();
    type Data<'drv> = Data<'drv>;
    type Error = Error;

    fn probe<'drv>(_: &'drv (), scope: &DriverScope<'drv, Host>) -> Result<Data<'drv>, Error> {
        let blinks = scope.own(AtomicU32::new(0))?;
        let myself = scope.port::<Self>()?;
        assert_eq!(myself.call(|_| ()), Err(Error::NotBound));
        let port = myself.clone();
        let blink = scope.hrtimer(move |_| {
            let _ = port.call(count);
            Restart::No
        })?;
        LEDS.lock().unwrap().push(myself.clone());
        Ok(Data {
            blinks,
            blink,
            myself,
        })
    }
}

/// As a driver's method: two lifetimes, neither of which need be named.
fn count(data: &Data<'_>) -> u32 {
    data.blinks.fetch_add(1, Ordering::Relaxed) + 1
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let host = Host::new()?;
    host.may_sleep(|cx| {
        let led = Binding::<Led, Host>::bind(host.clone(), (), cx).map_err(|e| e.error)?;
        let port = LEDS.lock().unwrap()[0].clone();
        // From another thread; and by the port that the data has, inside a call.
        let thread = std::thread::spawn(move || port.call(|data| data.myself.call(count)));
        assert_eq!(thread.join().unwrap(), Ok(Ok(1)));
        led.with(|data| data.blink.start(0.secs()))?;
        while led.with(|data| data.blinks.load(Ordering::Relaxed)) < 2 {
            std::thread::yield_now();
        }
        Ok::<(), Error>(())
    })?;
    let port = LEDS.lock().unwrap()[0].clone();
    assert_eq!(port.call(count), Err(Error::Gone));
    Ok(())
}
