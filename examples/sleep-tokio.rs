//! Sleeps of a driver on tokio, whose own timer is not even compiled in.
//!
//! The driver knows nothing of tokio: it is `async` code over a [`Sleeper`]. Its futures borrow from the driver, so `tokio::spawn` refuses them, since
//! a task must be `'static`; `Runtime::block_on` takes them, inside of whatever lends the driver's data. Exits with 0 if all went as it says.

use std::error::Error as AnyError;
use std::future::pending;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::thread;

use driver_scope::platform::Host;
use driver_scope::{Binding, Driver, DriverScope, Error, Platform, Sleeper, Units};
use tokio::runtime::{Builder, Runtime};

/// A sensor that needs time between a request and its answer.
struct Sensor;

struct Data<'drv, P: Platform> {
    sleeper: Sleeper<'drv, P>,
    measured: &'drv AtomicU32,
}

impl<P: Platform> Driver<P> for Sensor {
    type Device = ();
    type Data<'drv> = Data<'drv, P>;
    type Error = Error;

    fn probe<'drv>(_dev: &'drv (), scope: &DriverScope<'drv, P>) -> Result<Data<'drv, P>, Error> {
        Ok(Data {
            sleeper: scope.named("conversions").sleeper(4)?,
            measured: scope.own(AtomicU32::new(0))?,
        })
    }
}

impl<P: Platform> Data<'_, P> {
    async fn measure(&self, rounds: u32) -> Result<u32, Error> {
        for _ in 0..rounds {
            // A request would be written to a register here.
            self.sleeper.sleep(2.millis()).await?;
            self.measured.fetch_add(1, SeqCst);
        }
        Ok(rounds)
    }
}

fn runtime() -> Result<Runtime, std::io::Error> {
    // No `enable_time`: there is no such thing in this build.
    Builder::new_current_thread().build()
}

fn main() -> Result<(), Box<dyn AnyError>> {
    let host = Host::new()?;
    let tokio = runtime()?;
    let binding: Binding<Sensor, Host> = host
        .may_sleep(|cx| Binding::bind(host.clone(), (), cx))
        .map_err(|failed| failed.error)?;

    // The driver's futures, beside tasks of tokio's.
    binding.with(|data| {
        tokio.block_on(async {
            let begin = data.sleeper.now();
            assert_eq!(data.measure(3).await, Ok(3));
            let took = data.sleeper.now().saturating_duration_since(begin);
            println!("three measurements took {took:?}");
            assert!(took >= 6.millis());

            let quick = tokio::spawn(async { 42 });
            let answer = data.sleeper.timeout(4.secs(), quick).await;
            println!("a task of tokio's answered in time: {answer:?}");
            assert!(matches!(answer, Ok(Ok(42))));

            let mut stuck = tokio::spawn(pending::<()>());
            let answer = data.sleeper.timeout(5.millis(), &mut stuck).await;
            println!("another did not: {answer:?}");
            assert!(matches!(answer, Err(Error::TimedOut)));
            stuck.abort();

            let answer = data.sleeper.timeout(3.millis(), data.measure(1000)).await;
            println!("nor did a thousand measurements: {answer:?}");
            assert_eq!(answer, Err(Error::TimedOut));
        });
    });

    // Another thread is inside of the driver, and would be for two hours. The remove ends its sleep.
    let port = binding.port()?;
    let inside = thread::spawn(move || {
        let tokio = runtime().expect("a runtime");
        port.call(|data| tokio.block_on(data.measure(3_600_000)))
    });
    let before = binding.with(|data| data.measured.load(SeqCst));
    while binding.with(|data| data.measured.load(SeqCst)) < before + 3 {
        thread::sleep(1.millis());
    }
    host.may_sleep(|cx| binding.unbind(cx))
        .expect("no callback");
    let ended = inside.join().expect("no panic");
    println!("removed, which ended the call with {ended:?}");
    assert_eq!(ended, Ok(Err(Error::Closed)));
    Ok(())
}
