//! Bound and removed over and over, under load, with handles forgotten; and that nothing is left of it.
#![forbid(unsafe_code)]

use core::mem;
use core::sync::atomic::{AtomicUsize, Ordering};
use core::time::Duration;

use driver_scope::{enter, Error, MaySleep, PciDevice, Platform, Restart, Units};

use super::{bind, expect, load, start_on, until, Bound, Guard, PATIENCE, POOLS};
use crate::machine::clock;
use crate::platform::{dma, timers, Bare};
use crate::report::{info, Report, Why};
use crate::why;

/// How often.
const CYCLES: usize = 1000;

/// How long a callback lasts that takes its time.
const SLOW: Duration = Duration::from_micros(20);

/// The longest that a driver is left bound.
const LONGEST: u64 = 100_000;

/// How many cycles are over: a callback of one of those is late.
static OVER: AtomicUsize = AtomicUsize::new(0);
// Relaxed: counts.
/// Callbacks, interrupts, late callbacks, and values of scopes that were dropped.
static TICKS: AtomicUsize = AtomicUsize::new(0);
static INTERRUPTS: AtomicUsize = AtomicUsize::new(0);
static LATE: AtomicUsize = AtomicUsize::new(0);
static DROPPED: AtomicUsize = AtomicUsize::new(0);

/// A value of a scope.
struct Owned;

impl Drop for Owned {
    fn drop(&mut self) {
        DROPPED.fetch_add(1, Ordering::Relaxed);
    }
}

/// All cycles, and the checks on what they left.
pub fn run(device: PciDevice<Bare>, cx: MaySleep<'_>, report: &mut Report) {
    let start = clock::now();
    let before = load::counts();
    let calls = [0, 1].map(timers::calls);
    report.check("cycles", cycles(device, cx));
    let took = Duration::from_nanos(clock::now() - start);
    let after = load::counts();
    let [came_in, refused, wrong] = [0, 1, 2].map(|n| after[n] - before[n]);
    let on = [0, 1].map(|cpu| timers::calls(cpu) - calls[cpu]);
    let ticks = TICKS.load(Ordering::Relaxed);
    let interrupts = INTERRUPTS.load(Ordering::Relaxed);
    info(format_args!(
        "{CYCLES} cycles in {took:?}: {ticks} ticks of forgotten timers, {on:?} callbacks by processor, {interrupts} interrupts, {came_in} calls by port, {refused} refused"
    ));
    report.check("load", loaded(came_in, wrong, ticks, interrupts, on));
    report.check(
        "no-callback-late",
        expect(0, LATE.load(Ordering::Relaxed) as u32),
    );
    report.check(
        "all-dropped",
        expect(CYCLES as u32, DROPPED.load(Ordering::Relaxed) as u32),
    );
    report.check("memory", memory(cx));
}

fn cycles(mut device: PciDevice<Bare>, cx: MaySleep<'_>) -> Result<(), Why> {
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    for cycle in 0..CYCLES {
        let pool = &POOLS[cycle % POOLS.len()];
        let bare = Bare::new(pool);
        until(&bare, cx, || pool.used() == 0)?;
        let bound = bind(&bare, device, cx)?;
        load::start(&bound).map_err(Why::new)?;
        forget(&bound, cycle, cx).map_err(Why::new)?;
        // The other processor may have been first.
        let _ = bound.with(|edu| edu.start_factorial(9));
        // The next driver has to wait until that is over.
        if cycle == CYCLES / 2 {
            bound.with(|edu| edu.receive(0, 4096)).map_err(Why::new)?;
        }
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        bare.sleep(cx, Duration::from_nanos(random % LONGEST));
        INTERRUPTS.fetch_add(
            bound.with(|edu| edu.stats()).interrupts as usize,
            Ordering::Relaxed,
        );
        device = bound.unbind(cx).map_err(Why::new)?;
        // Release: pairs with the Acquire in the callback: one that finds it runs after the removal.
        OVER.store(cycle + 1, Ordering::Release);
        load::stop();
    }
    Ok(())
}

/// Timers whose handles are forgotten, and a value.
fn forget(bound: &Bound, cycle: usize, cx: MaySleep<'_>) -> Result<(), Error> {
    bound.with_scope(cx, |_, scope| {
        scope.own(Owned)?;
        for (period, second) in [
            (11.micros(), false),
            (60.micros(), true),
            (1.millis(), false),
        ] {
            let platform = scope.platform();
            let timer = scope.hrtimer(move |t| {
                TICKS.fetch_add(1, Ordering::Relaxed);
                if second {
                    // So long that the removal comes in its middle.
                    platform.delay(SLOW);
                }
                // Acquire: pairs with the Release in `cycles`.
                if OVER.load(Ordering::Acquire) > cycle {
                    LATE.fetch_add(1, Ordering::Relaxed);
                }
                t.forward(period)
            })?;
            start_on(second, scope, timer, period)?;
            mem::forget(Guard(timer));
        }
        Ok(())
    })
}

fn loaded(
    came_in: usize,
    wrong: usize,
    ticks: usize,
    interrupts: usize,
    on: [usize; 2],
) -> Result<(), Why> {
    if wrong > 0
        || came_in < CYCLES
        || ticks < CYCLES
        || interrupts < CYCLES / 100
        || on.iter().any(|&calls| calls < CYCLES / 100)
    {
        return Err(why!(
            "{came_in} calls, {wrong} wrong, {ticks} ticks, {interrupts} interrupts, {on:?} callbacks"
        ));
    }
    Ok(())
}

/// All memory is back, and nobody wrote to any after it was.
pub fn memory(cx: MaySleep<'_>) -> Result<(), Why> {
    let bare = Bare::new(&POOLS[0]);
    let used = || POOLS.iter().map(|pool| pool.used()).sum::<usize>();
    until(&bare, cx, || used() == 0).map_err(|_| why!("{} bytes are not back", used()))?;
    let most = POOLS.iter().map(|pool| pool.most()).max();
    info(format_args!(
        "a binding takes {} bytes at most",
        most.unwrap_or_default()
    ));
    let spoiled = POOLS.iter().map(|pool| pool.spoiled()).sum::<usize>();
    match (spoiled, dma::state()) {
        (0, (0, 0)) => Ok(()),
        state => Err(why!(
            "blocks written to, (pages taken, pages written to): {state:?}"
        )),
    }
}

/// A binding that is dropped in a callback is removed by the worker.
pub fn removed_in_a_callback(bare: &Bare, bound: Bound, cx: MaySleep<'_>) -> Result<(), Why> {
    let pool = &POOLS[1];
    let other = Bare::new(pool);
    let done = enter(other, cx, &(), |(), scope| {
        let mut bound = Some(bound);
        let timer = scope.hrtimer(move |_| {
            drop(bound.take());
            Restart::No
        })?;
        timer.start(0.nanos())?;
        let start = scope.now();
        while POOLS[0].used() > 0 && scope.now().saturating_duration_since(start) < PATIENCE {
            scope.sleep(100.micros());
        }
        Ok::<(), Error>(())
    });
    done.map_err(Why::new)?;
    match bare.in_callback() {
        false => expect(0, POOLS[0].used() as u32),
        true => Err(why!("this is no callback")),
    }
}
