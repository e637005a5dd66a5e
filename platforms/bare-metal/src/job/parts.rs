//! Interrupts, work and DMA one by one, by a driver of the image's own for the same device: what is there of each can be seen, and be
//! overdone.
#![forbid(unsafe_code)]

use core::hint::black_box;
use core::mem;
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering::Relaxed};
use core::time::Duration;

use driver_scope::{
    Binding, DmaBuffer, Driver, DriverScope, Error, HrTimer, Irq, IrqReturn, MaySleep, Mmio,
    PciDevice, Platform, Restart, Units, Work,
};
use edu::registers::{
    Causes, DmaCommand, EduRegs, DMA_BUFFER, DMA_COMMAND, DMA_COUNT, DMA_DESTINATION, DMA_SOURCE,
    INTERRUPT_ACKNOWLEDGE, INTERRUPT_RAISE, INTERRUPT_STATUS, STATUS,
};

use super::{until, POOLS};
use crate::machine::cpu;
use crate::platform::{dma, Bare};
use crate::report::{info, Report, Why};
use crate::why;

/// How many bytes go to the device and back.
const BYTES: usize = 1000;
/// A transfer takes this device 100 ms.
const TRANSFER: Duration = Duration::from_millis(150);
/// How often the driver is removed in a storm of interrupts.
const STORMS: usize = 100;
/// How long a handler lasts that takes its time.
const SLOW: Duration = Duration::from_micros(300);

/// Callbacks that ran when their driver had been removed.
static LATE: AtomicUsize = AtomicUsize::new(0);
/// How many of these drivers have been removed.
static REMOVED: AtomicUsize = AtomicUsize::new(0);

struct Parts;

struct Data<'drv> {
    regs: Mmio<'drv, EduRegs, Bare>,
    seen: &'drv Seen,
    irq: Irq<'drv, Bare>,
    work: Work<'drv, Bare>,
    storm: HrTimer<'drv, Bare>,
    buffer: DmaBuffer<'drv, [u8], Bare>,
}

/// What the callbacks have seen.
#[derive(Default)]
struct Seen {
    interrupts: AtomicU32,
    causes: AtomicU32,
    /// The processor of the last interrupt.
    cpu: AtomicUsize,
    worked: AtomicU32,
    /// That the device is.
    gone: AtomicBool,
    /// Whether the handler is to take its time.
    slow: AtomicBool,
}

type Bound = Binding<Parts, Bare>;

impl Driver<Bare> for Parts {
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
            seen.causes.fetch_or(causes.bits(), Relaxed);
            seen.cpu.store(cpu::this().number(), Relaxed);
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
        let dma = scope.dma(device.dma()?, 28)?;
        let buffer = scope.dma_bytes(dma, BYTES)?;
        Ok(Data {
            regs,
            seen,
            irq,
            work,
            storm,
            buffer,
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
    let bound = report.step("probe-parts", bind(&bare, device, cx))?;
    report.check("interrupts", interrupts(&bound, cx));
    report.check("interrupt-disabled", disabled(&bound, cx));
    report.check("work", worked(&bound, cx));
    report.check("dma", there_and_back(&bound, cx));
    bound.with(|parts| transfer(parts, DMA_BUFFER, parts.buffer.address() as u32, true));
    device = report.step("remove-parts", unbind(bound, cx))?;
    // When it would be over: what it would write to is nobody's.
    bare.sleep(cx, TRANSFER);
    report.check("no-dma-late", no_dma_late());
    device = report.step("storms", storms(&bare, device, cx))?;
    report.check("no-interrupt-late", none_late());
    Ok(device)
}

/// The device is taken out by `take_out` in a storm of interrupts, with work, and with a transfer to memory under way; gives back what is
/// left of it.
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
    let bound = report.step("probe-parts", bind(&bare, device, cx))?;
    let started = bound.with(|parts| parts.storm.start(Duration::ZERO));
    report.step("storm", started.map_err(Why::new))?;
    let mut busy = || {
        bound.with(|parts| {
            let under_way = parts.regs.read(DMA_COMMAND).contains(DmaCommand::START);
            if !under_way {
                transfer(parts, DMA_BUFFER, parts.buffer.address() as u32, true);
            }
            under_way && parts.seen.interrupts.load(Relaxed) > 0
        })
    };
    report.step("pulled-out-again", take_out(&bare, &mut busy))?;
    let gone = until(&bare, cx, || {
        bound.with(|parts| parts.seen.gone.load(Relaxed))
    });
    report.check("seen-gone-again", gone);
    let device = report.step("remove-parts", unbind(bound, cx))?;
    bare.sleep(cx, TRANSFER);
    report.check("no-dma-late", no_dma_late());
    report.check("no-interrupt-late", none_late());
    Ok(device)
}

fn no_dma_late() -> Result<(), Why> {
    match dma::state() {
        (0, 0) => Ok(()),
        state => Err(why!("pages taken, pages written to: {state:?}")),
    }
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

/// Each message comes, and to the other processor.
fn interrupts(bound: &Bound, cx: MaySleep<'_>) -> Result<(), Why> {
    for n in 1..4 {
        let cause = Causes::from_bits_retain(1 << n);
        bound.with(|parts| parts.regs.write(INTERRUPT_RAISE, cause));
        until(bound.platform(), cx, || {
            bound.with(|parts| parts.seen.interrupts.load(Relaxed)) == n
        })?;
    }
    let seen = bound.with(|parts| {
        let Seen { causes, cpu, .. } = parts.seen;
        (causes.load(Relaxed), cpu.load(Relaxed))
    });
    match seen {
        (0b1110, 1) => Ok(()),
        seen => Err(why!("causes, processor: {seen:?}")),
    }
}

/// What comes while the handler is disabled waits for it.
fn disabled(bound: &Bound, cx: MaySleep<'_>) -> Result<(), Why> {
    let count = || bound.with(|parts| parts.seen.interrupts.load(Relaxed));
    let before = count();
    bound.with(|parts| parts.irq.disable());
    for n in 1..4 {
        let cause = Causes::from_bits_retain(1 << n);
        bound.with(|parts| parts.regs.write(INTERRUPT_RAISE, cause));
    }
    bound.platform().sleep(cx, 1.millis());
    let meanwhile = count() - before;
    bound.with(|parts| parts.irq.enable());
    until(bound.platform(), cx, || count() > before)?;
    bound.platform().sleep(cx, 1.millis());
    match (meanwhile, count() - before) {
        (0, 1) => Ok(()),
        counts => Err(why!("interrupts while disabled, in all: {counts:?}")),
    }
}

/// Work has been done for the interrupts; and it is done at once when it is waited for.
fn worked(bound: &Bound, cx: MaySleep<'_>) -> Result<(), Why> {
    let count = || bound.with(|parts| parts.seen.worked.load(Relaxed));
    until(bound.platform(), cx, || count() > 0)?;
    let before = count();
    bound.with(|parts| {
        let _ = parts.work.queue_after(1000.secs());
        parts.work.flush(cx).map_err(Why::new)
    })?;
    match count() - before {
        1 => Ok(()),
        count => Err(why!("done {count} times")),
    }
}

/// Has the device move bytes between memory and its buffer.
fn transfer(parts: &Data<'_>, from: u32, to: u32, to_memory: bool) {
    let direction = if to_memory {
        DmaCommand::TO_MEMORY
    } else {
        DmaCommand::empty()
    };
    parts.regs.write(DMA_SOURCE, from);
    parts.regs.write(DMA_DESTINATION, to);
    parts.regs.write(DMA_COUNT, BYTES as u32);
    let command = DmaCommand::START | DmaCommand::INTERRUPT | direction;
    parts.regs.write(DMA_COMMAND, command);
}

/// Bytes go to the device and come back.
fn there_and_back(bound: &Bound, cx: MaySleep<'_>) -> Result<(), Why> {
    let pattern: [u8; BYTES] = core::array::from_fn(|n| (n * 7 + n / 256) as u8);
    let memory = bound.with(|parts| parts.buffer.address() as u32);
    bound
        .with(|parts| parts.buffer.copy_in(0, &pattern))
        .map_err(Why::new)?;
    for (from, to, to_memory) in [(memory, DMA_BUFFER, false), (DMA_BUFFER, memory, true)] {
        bound.with(|parts| {
            parts.seen.causes.store(0, Relaxed);
            transfer(parts, from, to, to_memory);
        });
        until(bound.platform(), cx, || {
            bound.with(|parts| parts.seen.causes.load(Relaxed)) == Causes::DMA.bits()
        })?;
        if !to_memory {
            let nothing = [0; BYTES];
            bound
                .with(|parts| parts.buffer.copy_in(0, &nothing))
                .map_err(Why::new)?;
        }
    }
    let mut back = [0; BYTES];
    bound
        .with(|parts| parts.buffer.copy_out(0, &mut back))
        .map_err(Why::new)?;
    match back
        .iter()
        .zip(&pattern)
        .position(|(back, sent)| back != sent)
    {
        None => Ok(()),
        Some(at) => Err(why!("byte {at} came back as {:#04x}", back[at])),
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
            .with(|parts| {
                mem::forget(Guard(parts.irq, parts.work));
                parts.seen.slow.store(slow, Relaxed);
                parts.storm.start(Duration::ZERO)
            })
            .map_err(Why::new)?;
        let seen = || {
            let [interrupts, worked] = bound.with(|parts| {
                let Seen {
                    interrupts, worked, ..
                } = parts.seen;
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
