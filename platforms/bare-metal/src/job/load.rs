//! What the second processor does in the driver: it comes in by a port, again and again, as the rest of a kernel would.
#![forbid(unsafe_code)]

use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

use driver_scope::{Error, MaySleep, Port, Units};
use edu::Edu;

use super::{until, Bound};
use crate::machine::lock::Spin;
use crate::platform::{timers, worker, Bare};
use crate::report::Why;
use crate::why;

/// The driver that it comes into, if any.
static PORT: Spin<Option<Port<Edu, Bare>>> = Spin::new(None);

// Relaxed, all of these: counts; `NUMBER` is changed and read under the lock of `PORT`, to be of one moment with it.

/// The number of that driver, and the last of those that were found to be removed.
static NUMBER: AtomicUsize = AtomicUsize::new(1);
static GONE: AtomicUsize = AtomicUsize::new(0);

/// Whether it is to have something computed there.
static COMPUTING: AtomicBool = AtomicBool::new(true);

/// After how many calls to rest.
const BREATH: usize = 32;

/// Calls that came in, calls that were refused, and results that were wrong.
static CAME_IN: AtomicUsize = AtomicUsize::new(0);
static REFUSED: AtomicUsize = AtomicUsize::new(0);
static WRONG: AtomicUsize = AtomicUsize::new(0);

/// Has the second processor come into a driver from now on, and have it compute.
///
/// # Errors
/// [`Error::NoMemory`].
pub fn start(bound: &Bound) -> Result<(), Error> {
    start_with(bound, true)
}

/// The same, but it looks at the device only.
///
/// # Errors
/// As for [`start`].
pub fn start_looking(bound: &Bound) -> Result<(), Error> {
    start_with(bound, false)
}

fn start_with(bound: &Bound, computing: bool) -> Result<(), Error> {
    let port = bound.port()?;
    COMPUTING.store(computing, Relaxed);
    drop(PORT.with(|place| {
        NUMBER.fetch_add(1, Relaxed);
        place.replace(port)
    }));
    worker::wake();
    Ok(())
}

/// Has it end. (It may be inside still.)
pub fn stop() {
    // What is dropped may be the last that remembers the driver, so not under the lock.
    drop(PORT.with(Option::take));
}

/// Calls that came in, that were refused, and wrong results.
pub fn counts() -> [usize; 3] {
    [&CAME_IN, &REFUSED, &WRONG].map(|counter| counter.load(Relaxed))
}

/// For the worker: whether there is nothing to come into.
pub fn is_idle() -> bool {
    PORT.with(|port| port.is_none() || GONE.load(Relaxed) == NUMBER.load(Relaxed))
}

/// For the worker: comes in once.
pub fn step() -> bool {
    const ARGUMENT: u32 = 7;
    const RESULT: u32 = 5040;
    if is_idle() {
        return false;
    }
    let number = || NUMBER.load(Relaxed);
    let Some((port, number)) = PORT.with(|port| port.clone().map(|port| (port, number()))) else {
        return false;
    };
    let came_in = port.call(|edu| {
        if COMPUTING.load(Relaxed) {
            // Only one is computed at a time; that of the other processor is another number.
            let _ = edu.start_factorial(ARGUMENT);
        } else {
            let _ = edu.id();
        }
        if let Some(Ok(last)) = edu.last() {
            if last.argument == ARGUMENT && last.value != RESULT {
                WRONG.fetch_add(1, Relaxed);
            }
        }
        let _ = edu.stats();
    });
    match came_in {
        Ok(()) => {
            // Now and then a breath: an emulated processor that never rests keeps the other one's alarm from being served.
            if CAME_IN.fetch_add(1, Relaxed).is_multiple_of(BREATH) {
                timers::sleep(20.micros());
            }
        }
        Err(_) => {
            REFUSED.fetch_add(1, Relaxed);
            GONE.store(number, Relaxed);
        }
    }
    true
}

/// Callbacks run on both processors: timers where each was started (both have one that is forgotten), interrupts on the second.
pub fn both_processors(bound: &Bound, cx: MaySleep<'_>) -> Result<(), Why> {
    let interrupts = || bound.with(|edu| edu.stats()).interrupts;
    let (before, interrupts_before) = ([0, 1].map(timers::calls), interrupts());
    start(bound).map_err(Why::new)?;
    let done = until(bound.platform(), cx, || {
        let now = [0, 1].map(timers::calls);
        (0..2).all(|cpu| now[cpu] > before[cpu] + 2) && interrupts() > interrupts_before + 2
    });
    stop();
    done?;
    match counts() {
        [came_in, 0, 0] if came_in > 0 => Ok(()),
        counts => Err(why!(
            "calls that came in, were refused, had wrong results: {counts:?}"
        )),
    }
}
