//! Sleeps of a driver on embassy's executor, without embassy's timer queue.
//!
//! A task of embassy's lies in a `static`, so it must be `'static`, and cannot hold what borrows from a driver. (If it could, it would outlive the driver:
//! nothing ends a task from outside.) So the driver keeps its `async` work in its own data, and the task, which is generic and a few lines, *polls* it through a
//! [`Port`]. When the driver is removed, the work ends with its data; the close wakes the task, which finds the port gone, and ends. Exits with 0 if all
//! went as it says.

use std::error::Error as AnyError;
use std::future::{poll_fn, Future};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::sync::{Mutex, OnceLock};
use std::task::{Context, Poll};
use std::thread;

use driver_scope::platform::Host;
use driver_scope::{Binding, Driver, DriverScope, Error, Platform, Port, Sleeper, Units};
use embassy_executor::Executor;
use embassy_futures::join::join;

/// Two lamps that blink at their own rates.
struct Lamps;

struct Data<'drv> {
    blinks: &'drv [AtomicU32; 2],
    work: Mutex<Work<'drv>>,
}

/// In a kernel it would have a place of its own; here it may as well be boxed.
type Work<'drv> = Pin<Box<dyn Future<Output = Result<(), Error>> + Send + 'drv>>;

async fn blink<P: Platform>(
    sleeper: Sleeper<'_, P>,
    millis: u64,
    count: &AtomicU32,
) -> Result<(), Error> {
    let mut at = sleeper.now();
    loop {
        at = at.saturating_add(millis.millis());
        sleeper.sleep_until(at).await?;
        count.fetch_add(1, SeqCst);
    }
}

impl<P: Platform> Driver<P> for Lamps {
    type Device = ();
    type Data<'drv> = Data<'drv>;
    type Error = Error;

    fn probe<'drv>(_dev: &'drv (), scope: &DriverScope<'drv, P>) -> Result<Data<'drv>, Error> {
        let sleeper = scope.named("blinks").sleeper(2)?;
        let blinks = scope.own([const { AtomicU32::new(0) }; 2])?;
        let work = async move {
            let (fast, slow) =
                join(blink(sleeper, 2, &blinks[0]), blink(sleeper, 5, &blinks[1])).await;
            fast.and(slow)
        };
        Ok(Data {
            blinks,
            work: Mutex::new(Box::pin(work)),
        })
    }
}

impl Data<'_> {
    fn poll_work(&self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.work.lock().expect("no panic").as_mut().poll(cx)
    }

    fn blinks(&self) -> [u32; 2] {
        self.blinks.each_ref().map(|count| count.load(SeqCst))
    }
}

static POLLS: AtomicU32 = AtomicU32::new(0);
static ENDED: OnceLock<Result<(), Error>> = OnceLock::new();
static DONE: AtomicBool = AtomicBool::new(false);

/// The whole of what is embassy's.
#[embassy_executor::task]
async fn drive(port: Port<Lamps, Host>) {
    let ended = poll_fn(|cx| {
        POLLS.fetch_add(1, SeqCst);
        match port.call(|lamps| lamps.poll_work(cx)) {
            Ok(polled) => polled,
            Err(gone) => Poll::Ready(Err(gone)),
        }
    });
    let _ = ENDED.set(ended.await);
    DONE.store(true, SeqCst);
}

fn main() -> Result<(), Box<dyn AnyError>> {
    let host = Host::new()?;
    let binding: Binding<Lamps, Host> = host
        .may_sleep(|cx| Binding::bind(host.clone(), (), cx))
        .map_err(|failed| failed.error)?;
    let port = binding.port()?;
    let executor = thread::spawn(move || {
        // Embassy's executor lives for ever, by its type.
        let executor = Box::leak(Box::new(Executor::new()));
        executor.run_until(
            |spawner| spawner.spawn(drive(port).expect("one such task")),
            || DONE.load(SeqCst),
        );
    });

    let blinks = || binding.with(|lamps| lamps.blinks());
    while blinks()[0] < 10 || blinks()[1] < 4 {
        thread::sleep(1.millis());
    }

    let [fast, slow] = blinks();
    println!("the lamps have blinked {fast} and {slow} times");
    host.may_sleep(|cx| binding.unbind(cx))
        .expect("no callback");
    executor.join().expect("no panic");
    println!(
        "removed; the task was polled {} times, and ended with {:?}",
        POLLS.load(SeqCst),
        ENDED.get()
    );
    // By its port; or by its sleeps, if it was being polled at the time.
    assert!(matches!(
        ENDED.get(),
        Some(Err(Error::Gone | Error::Closed))
    ));
    // It was woken, and did not go round in circles.
    assert!(POLLS.load(SeqCst) <= 2 * (fast + slow) + 20);
    Ok(())
}
