//! The checks: the driver of `drivers/edu`, unchanged, bound, run, removed under way, bound again, and all that a thousand times.
#![forbid(unsafe_code)]

use core::mem;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};
use core::time::Duration;

use driver_scope::{
    Binding, DriverScope, Error, HrTimer, Lock, MaySleep, PciDevice, Platform, Restart, Units,
};
use edu::Edu;

use crate::machine::pci::Function;
use crate::machine::{clock, cpu, pci, slot};
use crate::platform::bus::Bar;
use crate::platform::memory::Pool;
use crate::platform::{dma, messages, timers, Bare};
use crate::report::{info, Report, Why};
use crate::why;

mod cycles;
pub mod load;
mod own;
mod surprise;

/// Version 1.0 of an edu.
const EXPECTED_ID: u32 = 0x0100_00ed;

/// The device needs milliseconds; an emulated processor may be slow to notice.
const PATIENCE: Duration = Duration::from_secs(10);

/// How many samples the statistics should have taken before the removal.
const SAMPLES: u32 = 3;

/// A transfer takes this device 100 ms.
const TRANSFER: Duration = Duration::from_millis(150);

/// A result that took longer did not come by an interrupt, but by a time-out.
const PROMPT: Duration = Duration::from_millis(500);

/// Memory for bindings, used in turn, so that what one leaves is looked at a while later.
static POOLS: [Pool; 8] = [const { Pool::new() }; 8];

/// How often the forgotten timer ticked. Relaxed: a count.
static TICKS: AtomicU32 = AtomicU32::new(0);

type Bound = Binding<Edu, Bare>;

/// Runs all checks and says whether all was well. `second` is whether there is a second processor.
pub fn run(second: bool) -> bool {
    let mut report = Report::default();
    if let Err(step) = checks(second, &mut report) {
        info(format_args!(
            "stopped: nothing can follow a failed `{step}`"
        ));
    }
    report.finish()
}

/// Every check in order. The error is the name of a step without which the rest makes no sense.
fn checks(second: bool, report: &mut Report) -> Result<(), &'static str> {
    let second = second
        .then_some(())
        .ok_or(why!("the second processor is silent"));
    report.step("processors", second)?;
    POOLS.iter().for_each(Pool::prepare);
    dma::prepare();
    report.check("clock", clock_goes_right());
    report.check("locks", locks());
    let bare = Bare::new(&POOLS[0]);
    bare.may_sleep(|cx| {
        report.check("sleep", sleeps_end_in_time(&bare, cx));
        let function = report.step("device", find())?;
        if let Some(slot) = slot::find() {
            // That is another machine.
            return surprise::run(slot, &bare, function, cx, report);
        }

        let bound = report.step("probe", bind(&bare, function, cx))?;
        report.check("identify", expect(EXPECTED_ID, bound.with(|edu| edu.id())));
        report.check("mapped-once", mapped_once(&bound, cx));
        report.check("factorial", factorial(&bound, 10, 3_628_800, cx));
        report.check("dma", there_and_back(&bound, cx));
        report.check("periodic", periodic(&bound, cx));
        report.check("forget", forget_a_handle(&bound, cx));
        report.check("both-processors", load::both_processors(&bound, cx));
        let function = report.step("remove-under-way", remove_under_way(bound, cx))?;
        report.check("nothing-late", nothing_late(&bare, cx));

        // It waits for the device, which still transfers: to what is nobody's.
        let bound = report.step("probe-again", bind(&bare, function, cx))?;
        report.check("no-dma-late", no_dma_late());
        report.check("factorial-again", factorial(&bound, 12, 479_001_600, cx));
        report.check("deferred", cycles::removed_in_a_callback(&bare, bound, cx));

        let function = report.step("device-again", find())?;
        let function = own::run(function, cx, report)?;
        cycles::run(function, cx, report);
        info(format_args!(
            "{} interrupts came for nobody",
            messages::stray()
        ));
        Ok(())
    })
}

fn clock_goes_right() -> Result<(), Why> {
    let (start, start_events) = clock::by_both();
    clock::wait(5.millis());
    let (end, end_events) = clock::by_both();
    let (nanos, events) = (end - start, end_events - start_events);
    let (counter, timer) = clock::rates();
    info(format_args!("counter {counter} MHz, timer {timer} MHz"));
    if nanos.abs_diff(events) * 20 > events {
        return Err(why!("{nanos} ns are {events} ns by the event timer"));
    }
    Ok(())
}

/// Interrupts are masked as long as any lock is held, in whatever order they are given back.
fn locks() -> Result<(), Why> {
    let (one, other) = (Lock::<(), Bare>::new(()), Lock::<(), Bare>::new(()));
    let (first, second) = (one.lock(), other.lock());
    drop(first);
    let masked = cpu::is_masked();
    drop(second);
    match (masked, cpu::is_masked()) {
        (true, false) => Ok(()),
        masked => Err(why!("masked with a lock, without: {masked:?}")),
    }
}

fn sleeps_end_in_time(bare: &Bare, cx: MaySleep<'_>) -> Result<(), Why> {
    let start = bare.now();
    bare.sleep(cx, 2.millis());
    let slept = bare.now().saturating_duration_since(start);
    if slept < 2.millis() || slept > PATIENCE {
        return Err(why!("2 ms took {slept:?}"));
    }
    Ok(())
}

/// The device, as the driver sees it.
fn find() -> Result<PciDevice<Bare>, Why> {
    let (vendor, id) = edu::PCI_ID;
    let function = pci::find(vendor, id).ok_or(why!("there is none"))?;
    device(function).map_err(Why::new)
}

fn device(function: Function) -> Result<PciDevice<Bare>, Error> {
    with_bar(function, Bar::new(function, 0)?)
}

fn with_bar(function: Function, bar: Bar) -> Result<PciDevice<Bare>, Error> {
    let (vendor, id) = function.id();
    PciDevice::new(vendor, id)
        .with_bar(0, bar)?
        .with_irq(0, messages::Message::of(function)?)
        .map(|device| device.with_dma(function))
}

fn bind(bare: &Bare, device: PciDevice<Bare>, cx: MaySleep<'_>) -> Result<Bound, Why> {
    Binding::bind(bare.clone(), device, cx).map_err(Why::new)
}

/// A second mapping of the registers is refused while the driver has them.
fn mapped_once(bound: &Bound, cx: MaySleep<'_>) -> Result<(), Why> {
    enum Whole {}
    impl driver_scope::Registers for Whole {
        const SIZE: usize = 0x80;
    }
    let bar = bound.device().bar(0).map_err(Why::new)?;
    match bound.with_scope(cx, |_, scope| scope.map::<Whole>(bar).map(drop)) {
        Err(Error::AlreadyMapped) => Ok(()),
        other => Err(why!("{other:?}")),
    }
}

fn factorial(bound: &Bound, n: u32, result: u32, cx: MaySleep<'_>) -> Result<(), Why> {
    bound.with(|edu| edu.start_factorial(n)).map_err(Why::new)?;
    until(bound.platform(), cx, || {
        !bound.with(|edu| edu.is_computing())
    })?;
    match bound.with(|edu| edu.last()) {
        Some(Ok(computed)) if computed.took > PROMPT => {
            Err(why!("there after {:?}: by no interrupt", computed.took))
        }
        Some(Ok(computed)) => expect(result, computed.value),
        other => Err(why!("{other:?}")),
    }
}

/// Bytes go to the device's buffer and come back.
fn there_and_back(bound: &Bound, cx: MaySleep<'_>) -> Result<(), Why> {
    const AT: usize = 96;
    let pattern: [u8; 1000] = core::array::from_fn(|n| (n * 7 + n / 256) as u8);
    let done = || {
        until(bound.platform(), cx, || {
            !bound.with(|edu| edu.is_transferring())
        })?;
        match bound.with(|edu| edu.last_transfer()) {
            Some(Ok(done)) if done.took <= PROMPT => Ok(()),
            other => Err(why!("{other:?}")),
        }
    };
    bound.with(|edu| edu.send(AT, &pattern)).map_err(Why::new)?;
    done()?;
    // From another place, so that what comes back is not what was sent from that memory.
    bound
        .with(|edu| edu.receive(AT + 8, pattern.len() - 8))
        .map_err(Why::new)?;
    done()?;
    let mut back = [0; 1000 - 8];
    bound
        .with(|edu| edu.received(&mut back))
        .map_err(Why::new)?;
    let mut bytes = back.iter().zip(&pattern[8..]);
    match bytes.position(|(back, sent)| back != sent) {
        None => Ok(()),
        Some(at) => Err(why!("byte {at} came back as {:#04x}", back[at])),
    }
}

fn periodic(bound: &Bound, cx: MaySleep<'_>) -> Result<(), Why> {
    until(bound.platform(), cx, || {
        bound.with(|edu| edu.stats().samples) >= SAMPLES
    })
}

/// Timers whose handles are forgotten, and which go on: one on each processor.
fn forget_a_handle(bound: &Bound, cx: MaySleep<'_>) -> Result<(), Why> {
    bound
        .with_scope(cx, |_, scope| {
            for second in [false, true] {
                let timer = scope.named("forgotten").hrtimer(|t| {
                    TICKS.fetch_add(1, Relaxed);
                    t.forward(1.millis())
                })?;
                start_on(second, scope, timer, 1.millis())?;
                mem::forget(Guard(timer));
            }
            Ok::<_, Error>(())
        })
        .map_err(Why::new)?;
    until(bound.platform(), cx, || TICKS.load(Relaxed) > 0)
}

/// Starts a timer on this processor, or on the second by work: it stays where it was started.
fn start_on<'drv>(
    second: bool,
    scope: &DriverScope<'drv, Bare>,
    timer: HrTimer<'drv, Bare>,
    after: Duration,
) -> Result<(), Error> {
    if second {
        let start = scope.work(move |_| {
            // It may be too late for that.
            let _ = timer.start(after);
            Restart::No
        })?;
        start.queue().map(drop)
    } else {
        timer.start(after)
    }
}

/// What would cancel the timer, if it were not forgotten.
struct Guard<'drv>(HrTimer<'drv, Bare>);

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        let _ = self.0.try_cancel();
    }
}

/// Removes the driver with a factorial and a transfer to memory under way, timers armed and work queued.
fn remove_under_way(bound: Bound, cx: MaySleep<'_>) -> Result<PciDevice<Bare>, Why> {
    match bound.with(|edu| edu.start_factorial(9)) {
        // The other processor's is under way.
        Ok(()) | Err(edu::Error::Busy) => {}
        Err(error) => return Err(Why::new(error)),
    }
    bound.with(|edu| edu.receive(0, 4096)).map_err(Why::new)?;
    bound.unbind(cx).map_err(Why::new)
}

/// No device has written to memory that it had been given, and has no more.
fn no_dma_late() -> Result<(), Why> {
    match dma::state() {
        (_, 0) => Ok(()),
        (_, pages) => Err(why!("{pages} pages that are nobody's were written to")),
    }
}

fn nothing_late(bare: &Bare, cx: MaySleep<'_>) -> Result<(), Why> {
    let calls = || (0..2).map(timers::calls).sum::<usize>();
    let (ticks, before) = (TICKS.load(Relaxed), calls());
    bare.sleep(cx, 20.millis());
    match (TICKS.load(Relaxed) - ticks, calls() - before) {
        (0, 0) => Ok(()),
        (late, calls) => Err(why!("{late} ticks and {calls} callbacks after remove")),
    }
}

fn until(bare: &Bare, cx: MaySleep<'_>, done: impl Fn() -> bool) -> Result<(), Why> {
    let started = bare.now();
    while !done() {
        if bare.now().saturating_duration_since(started) > PATIENCE {
            return Err(why!("not after {PATIENCE:?}"));
        }
        bare.sleep(cx, 100.micros());
    }
    Ok(())
}

fn expect(expected: u32, read: u32) -> Result<(), Why> {
    if read == expected {
        Ok(())
    } else {
        Err(why!("read {read:#010x}, expected {expected:#010x}"))
    }
}
