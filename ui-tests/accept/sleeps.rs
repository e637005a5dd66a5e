// Right: a sleeper in driver data, in callbacks and on threads that end first; sleeps that are passed around and shortened.
use std::future::{pending, Future};
use std::pin::Pin;
use std::sync::Mutex;

use driver_scope::{
    enter, platform::Sim, Driver, DriverScope, Error, Platform, Restart, Sleep, Sleeper, Timeout,
    Units,
};

struct Napper;

type Work<'drv> = Pin<Box<dyn Future<Output = Result<(), Error>> + Send + 'drv>>;

/// The sleeper, a sleep, and a future that holds sleeps.
struct Data<'drv, P: Platform> {
    sleeper: Sleeper<'drv, P>,
    sleep: Sleep<'drv, P>,
    work: Mutex<Work<'drv>>,
}

impl<P: Platform> Driver<P> for Napper {
    type Device = ();
    type Data<'drv> = Data<'drv, P>;
    type Error = Error;

    fn probe<'drv>(_dev: &'drv (), scope: &DriverScope<'drv, P>) -> Result<Data<'drv, P>, Error> {
        let sleeper = scope.sleeper(2)?;
        scope.hrtimer(move |_| {
            drop(sleeper.sleep(1.millis()));
            Restart::No
        })?;
        Ok(Data {
            sleeper,
            sleep: sleeper.sleep(1.secs()),
            work: Mutex::new(Box::pin(async move { sleeper.sleep(1.millis()).await })),
        })
    }
}

fn shorter<'short, 'long: 'short, P: Platform>(
    sleeper: Sleeper<'long, P>,
    sleep: Sleep<'long, P>,
) -> (Sleeper<'short, P>, Sleep<'short, P>) {
    (sleeper, sleep)
}

fn everywhere<T: Send + Sync + Unpin>(_: &T) {}

fn main() {
    let sim = Sim::new();
    sim.may_sleep(|cx| {
        enter(sim.clone(), cx, &(), |(), scope| {
            let sleeper = scope.sleeper(1).unwrap();
            let limited: Timeout<'_, Sim, _> = sleeper.timeout(1.millis(), pending::<()>());
            everywhere(&sleeper);
            everywhere(&limited);
            let (sleeper, sleep) = shorter(sleeper, sleeper.sleep(1.millis()));
            everywhere(&sleep);
            std::thread::scope(|threads| {
                threads.spawn(move || drop((sleeper.now(), sleep)));
            });
        });
    });
    let _ = |data: &Data<'_, Sim>| {
        everywhere(&data.sleeper);
        everywhere(&data.sleep);
        drop(data.work.lock());
    };
}
