//! Interrupts and work by a driver of the image's own for the same device, which can do what that of `drivers/edu` has no reason to: have a handler
//! disabled, or slow, and raise storms.
#![forbid(unsafe_code)]

use core::hint::black_box;
use core::mem;
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering::Relaxed};
use core::time::Duration;

use driver_scope::{
    Binding, Driver, DriverScope, Error, HrTimer, Irq, IrqReturn, MaySleep, Mmio, PciDevice,
    Platform, Restart, Units, Work,
};
use edu::registers::{
    Causes, EduRegs, INTERRUPT_ACKNOWLEDGE, INTERRUPT_RAISE, INTERRUPT_STATUS, STATUS,
};

use super::{until, POOLS};
use crate::platform::Bare;
use crate::report::{info, Report, Why};
use crate::why;

/// How often the driver is removed in a storm of interrupts.
const STORMS: usize = 100;
/// How long a handler lasts that takes its time.
const SLOW: Duration = Duration::from_micros(300);

/// Callbacks that ran when their driver had been removed.
static LATE: AtomicUsize = AtomicUsize::new(0);
/// How many of these drivers have been removed.
static REMOVED: AtomicUsize = AtomicUsize::new(0);

struct Own;

struct Data<'drv> {
    regs: Mmio<'drv, EduRegs, Bare>,
    seen: &'drv Seen,
    irq: Irq<'drv, Bare>,
    work: Work<'drv, Bare>,
    storm: HrTimer<'drv, Bare>,
}

/// What the callbacks have seen.
#[derive(Default)]
struct Seen {
    interrupts: AtomicU32,
    worked: AtomicU32,
    /// That the device is.
    gone: AtomicBool,
    /// Whether the handler is to take its time.
    slow: AtomicBool,
}

type Bound = Binding<Own, Bare>;

impl Driver<Bare> for Own {
    type Device = PciDevice<Bare>;
    type Data<'drv> = Data<'drv>;
    type Error = Error;

    fn probe<'drv>(
        device: &'drv PciDevice<Bare>,
        scope: &DriverScope<'drv, Bare>,
    ) -> Result<Data<'drv>, Error> {
        let number = REMOVED.load(Relaxed);
        let platform = scope.platform();
        let regs = scope.map::<EduRegs>(device.bar(0)?)?;
        let seen = scope.own(Seen::default())?;
        let work = scope.work(move |w| {
            in_time(number);
            w.sleep(10.micros());
            seen.worked.fetch_add(1, Relaxed);
            in_time(number);
            Restart::No
        })?;
        let irq = scope.irq(device.irq(0)?, move |_| {
            in_time(number);
            let causes = match regs.read_or_gone(INTERRUPT_STATUS) {
                Ok(causes) if !causes.is_empty() => causes,
                _ => return IrqReturn::None,
            };
            regs.write(INTERRUPT_ACKNOWLEDGE, causes);
            seen.interrupts.fetch_add(1, Relaxed);
            let _ = work.queue();
            if seen.slow.load(Relaxed) {
                // So long that the removal comes in its middle. The scope may be gone after it, if something is wrong.
                let number = black_box(number);
                platform.delay(SLOW);
                in_time(number);
            }
            IrqReturn::Handled
        })?;
        let storm = scope.hrtimer(move |t| {
            in_time(number);
            if regs.read_or_gone(STATUS).is_err() {
                seen.gone.store(true, Relaxed);
                return Restart::No;
            }
            regs.write(INTERRUPT_RAISE, Causes::from_bits_retain(1 << 20));
            t.forward(17.micros())
        })?;
        Ok(Data {
            regs,
            seen,
            irq,
            work,
            storm,
        })
    }
}

/// What would end both, if it were not forgotten.
struct Guard<'drv>(Irq<'drv, Bare>, Work<'drv, Bare>);

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        self.0.disable();
        let _ = self.1.try_cancel();
    }
}

/// Notes a callback of a driver that has been removed.
fn in_time(number: usize) {
    if REMOVED.load(Relaxed) > number {
        LATE.fetch_add(1, Relaxed);
    }
}

/// All of it; gives the device back.
///
/// # Errors
/// The name of a step without which the rest makes no sense.
pub fn run(
    mut device: PciDevice<Bare>,
    cx: MaySleep<'_>,
    report: &mut Report,
) -> Result<PciDevice<Bare>, &'static str> {
    let bare = Bare::new(&POOLS[2]);
    let bound = report.step("probe-own", bind(&bare, device, cx))?;
    report.check("interrupt-disabled", disabled(&bound, cx));
    report.check("work", worked(&bound, cx));
    device = report.step("remove-own", unbind(bound, cx))?;
    device = report.step("storms", storms(&bare, device, cx))?;
    report.check("no-interrupt-late", none_late());
    Ok(device)
}

/// The device is taken out by `take_out` in a storm of interrupts, with work; gives back what is left of it.
///
/// # Errors
/// As for [`run`].
pub fn surprise(
    device: PciDevice<Bare>,
    cx: MaySleep<'_>,
    report: &mut Report,
    take_out: impl FnOnce(&Bare, &mut dyn FnMut() -> bool) -> Result<(), Why>,
) -> Result<PciDevice<Bare>, &'static str> {
    let bare = Bare::new(&POOLS[2]);
    let bound = report.step("probe-own", bind(&bare, device, cx))?;
    let started = bound.with(|own| own.storm.start(Duration::ZERO));
    report.step("storm", started.map_err(Why::new))?;
    let mut busy = || bound.with(|own| own.seen.interrupts.load(Relaxed) > 0);
    report.step("pulled-out-again", take_out(&bare, &mut busy))?;
    let gone = until(&bare, cx, || bound.with(|own| own.seen.gone.load(Relaxed)));
    report.check("seen-gone-again", gone);
    let device = report.step("remove-own", unbind(bound, cx))?;
    bare.sleep(cx, 10.millis());
    report.check("no-interrupt-late", none_late());
    Ok(device)
}

fn none_late() -> Result<(), Why> {
    match LATE.load(Relaxed) {
        0 => Ok(()),
        late => Err(why!("{late} callbacks after remove")),
    }
}

fn bind(bare: &Bare, device: PciDevice<Bare>, cx: MaySleep<'_>) -> Result<Bound, Why> {
    Binding::bind(bare.clone(), device, cx).map_err(Why::new)
}

fn unbind(bound: Bound, cx: MaySleep<'_>) -> Result<PciDevice<Bare>, Why> {
    let device = bound.unbind(cx).map_err(Why::new)?;
    REMOVED.fetch_add(1, Relaxed);
    Ok(device)
}

/// What comes while the handler is disabled waits for it.
fn disabled(bound: &Bound, cx: MaySleep<'_>) -> Result<(), Why> {
    let count = || bound.with(|own| own.seen.interrupts.load(Relaxed));
    let before = count();
    bound.with(|own| own.irq.disable());
    for n in 1..4 {
        let cause = Causes::from_bits_retain(1 << n);
        bound.with(|own| own.regs.write(INTERRUPT_RAISE, cause));
    }
    bound.platform().sleep(cx, 1.millis());
    let meanwhile = count() - before;
    bound.with(|own| own.irq.enable());
    until(bound.platform(), cx, || count() > before)?;
    bound.platform().sleep(cx, 1.millis());
    match (meanwhile, count() - before) {
        (0, 1) => Ok(()),
        counts => Err(why!("interrupts while disabled, in all: {counts:?}")),
    }
}

/// Work has been done for the interrupts; and it is done at once when it is waited for.
fn worked(bound: &Bound, cx: MaySleep<'_>) -> Result<(), Why> {
    let count = || bound.with(|own| own.seen.worked.load(Relaxed));
    until(bound.platform(), cx, || count() > 0)?;
    let before = count();
    bound.with(|own| {
        let _ = own.work.queue_after(1000.secs());
        own.work.flush(cx).map_err(Why::new)
    })?;
    match count() - before {
        1 => Ok(()),
        count => Err(why!("done {count} times")),
    }
}

/// Removed over and over, while interrupts come and work is done.
fn storms(
    bare: &Bare,
    mut device: PciDevice<Bare>,
    cx: MaySleep<'_>,
) -> Result<PciDevice<Bare>, Why> {
    let (mut interrupts, mut worked) = (0, 0);
    for storm in 0..STORMS {
        let slow = storm % 2 == 1;
        until(bare, cx, || POOLS[2].used() == 0)?;
        let bound = bind(bare, device, cx)?;
        bound
            .with(|own| {
                mem::forget(Guard(own.irq, own.work));
                own.seen.slow.store(slow, Relaxed);
                own.storm.start(Duration::ZERO)
            })
            .map_err(Why::new)?;
        let seen = || {
            let [interrupts, worked] = bound.with(|own| {
                let Seen {
                    interrupts, worked, ..
                } = own.seen;
                [interrupts, worked].map(|counter| counter.load(Relaxed) as usize)
            });
            (interrupts, worked)
        };
        // The processor of a slow handler gets to nothing else.
        until(
            bare,
            cx,
            || matches!(seen(), (1.., done) if slow || done > 0),
        )?;
        bare.sleep(cx, (storm as u64 * 3).micros());
        let (more, done) = seen();
        (interrupts, worked) = (interrupts + more, worked + done);
        device = unbind(bound, cx)?;
    }
    info(format_args!(
        "{STORMS} storms: {interrupts} interrupts, work done {worked} times"
    ));
    Ok(device)
}
