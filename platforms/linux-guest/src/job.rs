//! The checks on the device: the driver of `drivers/edu`, unchanged, bound, run, removed under way, and bound again.

use std::time::{Duration, Instant};

use driver_scope::event::Event;
use driver_scope::platform::{HostDma, Platform};
use driver_scope::{Binding, Error, MaySleep, PciDevice, Units};
use edu::Edu;

use crate::{Report, Step, User};

mod interrupts;
mod removal;
mod transfers;

/// Version 1.0 of an edu.
const EXPECTED_ID: u32 = 0x0100_00ed;

/// The device needs milliseconds; an emulated processor may be slow to notice.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// How many samples the periodic timer should have taken before the removal.
const SAMPLES: u32 = 5;

type Bound<D> = Binding<Edu, User<D>>;

/// A platform whose events are reported.
///
/// # Errors
/// The step's name.
pub fn platform<D: HostDma>(report: &mut Report) -> Step<User<D>> {
    let prefix = report.prefix();
    // A panic of the driver, a stall or a refused restart is no part of a good run, and the judge takes this line as such.
    let user = User::on_bus(move |event| match event {
        Event::Phase { .. } | Event::Ended { .. } => println!("{prefix}-INFO {event}"),
        _ => println!("{prefix}-CHECK event FAILED {event}"),
    });
    report.step("platform", user.map_err(|error| error.to_string()))
}

/// Runs the checks that every platform must pass, with a device that is there and enabled. Gives the device back.
///
/// # Errors
/// The name of a step without which the rest makes no sense.
pub fn run<D: HostDma>(
    user: &User<D>,
    function: PciDevice<User<D>>,
    report: &mut Report,
) -> Step<PciDevice<User<D>>> {
    user.may_sleep(|cx| {
        report.check("interrupts", interrupts::raised(user, &function, cx));
        report.check("none-lost", interrupts::none_lost(user, &function, cx));

        let bound = report.step("probe", bind(user, function, cx))?;
        report.check("identify", expect(EXPECTED_ID, bound.with(|edu| edu.id())));
        report.check("mapped-once", mapped_once(&bound, cx));
        report.check("factorial", factorial(&bound, 10, 3_628_800, cx));
        report.check("periodic", periodic(&bound, cx));
        transfers::check(&bound, cx, report);
        let calls = removal::Calls::default();
        report.check("forget", removal::forget(&bound, &calls, cx));
        let function = report.step("remove-under-way", removal::under_way(bound, cx))?;
        let late = removal::nothing_late(user, &function, &calls, cx);
        report.check("nothing-late", late);

        let bound = report.step("probe-again", bind(user, function, cx))?;
        report.check("factorial-again", factorial(&bound, 12, 479_001_600, cx));
        let removed = bound.unbind(cx).map_err(|error| error.to_string());
        report.step("remove", removed)
    })
}

fn bind<D: HostDma>(
    user: &User<D>,
    function: PciDevice<User<D>>,
    cx: MaySleep<'_>,
) -> Result<Bound<D>, String> {
    Binding::bind(user.clone(), function, cx).map_err(|failed| failed.to_string())
}

/// A second mapping of the registers is refused while the driver has them.
fn mapped_once<D: HostDma>(bound: &Bound<D>, cx: MaySleep<'_>) -> Result<(), String> {
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

/// By interrupt: the driver does not look by itself.
fn factorial<D: HostDma>(
    bound: &Bound<D>,
    n: u32,
    result: u32,
    cx: MaySleep<'_>,
) -> Result<(), String> {
    let before = bound.with(|edu| edu.stats().interrupts);
    bound
        .with(|edu| edu.start_factorial(n))
        .map_err(|error| error.to_string())?;
    until(bound, cx, || !bound.with(|edu| edu.is_computing()))?;
    match bound.with(|edu| edu.last()) {
        Some(Ok(computed)) => expect(result, computed.value)?,
        other => return Err(format!("{other:?}")),
    }
    match bound.with(|edu| edu.stats().interrupts) {
        after if after > before => Ok(()),
        _ => Err("without an interrupt".into()),
    }
}

fn periodic<D: HostDma>(bound: &Bound<D>, cx: MaySleep<'_>) -> Result<(), String> {
    until(bound, cx, || {
        bound.with(|edu| edu.stats().samples) >= SAMPLES
    })
}

fn until<D: HostDma>(
    bound: &Bound<D>,
    cx: MaySleep<'_>,
    done: impl Fn() -> bool,
) -> Result<(), String> {
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
