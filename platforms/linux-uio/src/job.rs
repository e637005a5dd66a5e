//! The checks on the device: the driver of `drivers/edu`, unchanged, bound, run, removed under way, and bound again.

use std::mem;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};

use driver_scope::platform::Platform;
use driver_scope::{Binding, Error, HrTimer, MaySleep, PciDevice, Units};
use edu::Edu;

use crate::platform::{Bar, Uio};
use crate::report::Report;
use crate::sysfs::Device;

/// Version 1.0 of an edu.
const EXPECTED_ID: u32 = 0x0100_00ed;

/// The device needs milliseconds; an emulated processor may be slow to notice.
const PATIENCE: Duration = Duration::from_secs(10);

/// How many samples the periodic timer should have taken before the removal.
const SAMPLES: u32 = 5;

type Bound = Binding<Edu, Uio>;

/// Runs all checks on a device that is bound to UIO and enabled.
pub fn run(device: &Device, report: &mut Report) -> Result<(), &'static str> {
    let uio = report.step("platform", platform())?;
    uio.may_sleep(|cx| {
        let function = report.step("pci-device", pci_device(device))?;

        let bound = report.step("probe", bind(&uio, function, cx))?;
        report.check("identify", expect(EXPECTED_ID, bound.with(|edu| edu.id())));
        report.check("mapped-once", mapped_once(&bound, cx));
        report.check("factorial", factorial(&bound, 10, 3_628_800, cx));
        report.check("periodic", periodic(&bound, cx));
        let ticks = Arc::new(AtomicU32::new(0));
        report.check("forget", forget_a_handle(&bound, &ticks, cx));
        let function = report.step("remove-under-way", remove_under_way(bound, cx))?;
        report.check("nothing-late", nothing_late(&uio, &ticks, cx));

        let bound = report.step("probe-again", bind(&uio, function, cx))?;
        report.check("factorial-again", factorial(&bound, 12, 479_001_600, cx));
        drop(bound);
        Ok(())
    })
}

fn platform() -> Result<Uio, String> {
    // A panic of the driver, a stall or a refused restart is no part of a good run, and the judge takes this line as such.
    Uio::on_bus(|event| {
        use driver_scope::event::Event;
        match event {
            Event::Phase { .. } | Event::Ended { .. } => println!("UIO-INFO {event}"),
            _ => println!("UIO-CHECK event FAILED {event}"),
        }
    })
    .map_err(|error| error.to_string())
}

fn pci_device(device: &Device) -> Result<PciDevice<Uio>, String> {
    let (vendor, id) = device.id();
    PciDevice::new(vendor, id)
        .with_bar(0, Bar::new(device.clone(), 0))
        .map_err(|error| error.to_string())
}

fn bind(uio: &Uio, function: PciDevice<Uio>, cx: MaySleep<'_>) -> Result<Bound, String> {
    Binding::bind(uio.clone(), function, cx).map_err(|failed| failed.to_string())
}

/// A second mapping of the registers is refused while the driver has them.
fn mapped_once(bound: &Bound, cx: MaySleep<'_>) -> Result<(), String> {
    enum Whole {}
    impl driver_scope::Registers for Whole {
        const SIZE: usize = 0x80;
    }
    let bar = bound.device().bar(0).map_err(|error| error.to_string())?;
    match bound.with_scope(cx, |_, scope| scope.map::<Whole>(bar).map(drop)) {
        Err(Error::AlreadyMapped) => Ok(()),
        other => Err(format!("{other:?}")),
    }
}

fn factorial(bound: &Bound, n: u32, result: u32, cx: MaySleep<'_>) -> Result<(), String> {
    bound
        .with(|edu| edu.start_factorial(n))
        .map_err(|error| error.to_string())?;
    until(bound, cx, || !bound.with(|edu| edu.is_computing()))?;
    match bound.with(|edu| edu.last()) {
        Some(Ok(computed)) => expect(result, computed.value),
        other => Err(format!("{other:?}")),
    }
}

fn periodic(bound: &Bound, cx: MaySleep<'_>) -> Result<(), String> {
    until(bound, cx, || {
        bound.with(|edu| edu.stats().samples) >= SAMPLES
    })
}

/// A timer whose handle is forgotten, and which goes on.
fn forget_a_handle(bound: &Bound, ticks: &Arc<AtomicU32>, cx: MaySleep<'_>) -> Result<(), String> {
    /// What would cancel the timer, if it were not forgotten.
    struct Guard<'drv>(HrTimer<'drv, Uio>);
    impl Drop for Guard<'_> {
        fn drop(&mut self) {
            let _ = self.0.try_cancel();
        }
    }

    let counted = Arc::clone(ticks);
    bound
        .with_scope(cx, |_, scope| {
            let timer = scope.named("forgotten").hrtimer(move |t| {
                counted.fetch_add(1, Ordering::Relaxed);
                t.forward(1.millis())
            })?;
            timer.start(1.millis())?;
            mem::forget(Guard(timer));
            Ok::<_, Error>(())
        })
        .map_err(|error| error.to_string())?;
    until(bound, cx, || ticks.load(Ordering::Relaxed) > 0)
}

/// Removes the driver with a factorial under way and three timers armed.
fn remove_under_way(bound: Bound, cx: MaySleep<'_>) -> Result<PciDevice<Uio>, String> {
    bound
        .with(|edu| edu.start_factorial(9))
        .map_err(|error| error.to_string())?;
    bound.unbind(cx).map_err(|error| error.to_string())
}

fn nothing_late(uio: &Uio, ticks: &AtomicU32, cx: MaySleep<'_>) -> Result<(), String> {
    let at_remove = ticks.load(Ordering::Relaxed);
    uio.sleep(cx, 50.millis());
    match ticks.load(Ordering::Relaxed) - at_remove {
        0 => Ok(()),
        late => Err(format!("a timer ticked {late} times after remove")),
    }
}

fn until(bound: &Bound, cx: MaySleep<'_>, done: impl Fn() -> bool) -> Result<(), String> {
    let started = Instant::now();
    while !done() {
        if started.elapsed() > PATIENCE {
            return Err(format!("not after {PATIENCE:?}"));
        }
        bound.platform().sleep(cx, 1.millis());
    }
    Ok(())
}

fn expect(expected: u32, read: u32) -> Result<(), String> {
    if read == expected {
        Ok(())
    } else {
        Err(format!("read {read:#010x}, expected {expected:#010x}"))
    }
}
