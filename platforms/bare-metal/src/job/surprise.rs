//! The device is pulled out while both processors are in its driver; then there is another in its place.
#![forbid(unsafe_code)]

use core::hint::spin_loop;

use driver_scope::{Error, MaySleep, PciDevice, Platform, Units};

use super::{
    bind, cycles, expect, factorial, forget_a_handle, load, no_dma_late, nothing_late, own,
};
use super::{there_and_back, until, with_bar, Bound, EXPECTED_ID, PATIENCE, TRANSFER};
use crate::machine::pci::NOBODY;
use crate::machine::slot::Slot;
use crate::platform::{messages, timers, Bare};
use crate::report::{info, Report, Why};
use crate::why;

/// What is asked of whoever runs the machine.
const PULL_OUT: &str = "please pull the device out";
const PUT_IN: &str = "please put another in";

/// All of it. The error is the name of a step without which the rest makes no sense.
pub fn run(
    slot: Slot,
    bare: &Bare,
    device: PciDevice<Bare>,
    cx: MaySleep<'_>,
    report: &mut Report,
) -> Result<(), &'static str> {
    // A button that was pressed before is nothing to us.
    let _ = slot.is_asked();
    let bound = report.step("probe", bind(bare, device, cx))?;
    report.check("identify", expect(EXPECTED_ID, bound.with(|edu| edu.id())));
    report.check("forget", forget_a_handle(&bound, cx));
    report.check("both-processors", load::both_processors(&bound, cx));

    report.step("pulled-out", pulled_out(slot, &bound, cx))?;
    report.check("seen-gone", seen_gone(&bound, cx));
    load::stop();
    let device = report.step("remove", bound.unbind(cx).map_err(Why::new))?;
    report.check("nothing-late", nothing_late(bare, cx));
    bare.sleep(cx, TRANSFER);
    report.check("no-dma-late", no_dma_late());

    let device = report.step("put-in", put_in(slot, bare, &device, cx))?;
    let bound = report.step("probe-again", bind(bare, device, cx))?;
    report.check(
        "identify-again",
        expect(EXPECTED_ID, bound.with(|edu| edu.id())),
    );
    report.check("factorial-again", factorial(&bound, 12, 479_001_600, cx));
    report.check("dma", there_and_back(&bound, cx));
    let device = report.step("remove-again", bound.unbind(cx).map_err(Why::new))?;

    let device = own::surprise(device, cx, report, |bare, busy| {
        taken_out(slot, bare, busy, || Ok(()))
    })?;
    report.step("put-in-again", put_in(slot, bare, &device, cx))?;
    report.check("memory", cycles::memory(cx));
    Ok(())
}

/// Keeps both processors in the driver, with a factorial and a transfer under way and timers armed, until the device is out.
///
/// QEMU 10.0 does not bear everything at the very moment at which the device is taken away. It ends itself (`mutex->initialized`) if another processor then accesses
/// the register for factorials, as the driver's thread does at the end of each; and it waits for itself if the device then raises an interrupt for one. So before that
/// the device's messages are lost from some moment on: the last factorial is done, and the driver is not told, so that for it that is under way.
fn pulled_out(slot: Slot, bound: &Bound, cx: MaySleep<'_>) -> Result<(), Why> {
    until(bound.platform(), cx, || {
        !bound.with(|edu| edu.is_computing())
    })?;
    load::start_looking(bound).map_err(Why::new)?;
    let before = [0, 1].map(timers::calls);
    let mut computing = 0_usize;
    let busy = || {
        // Also after the last: it has no effect then.
        let _ = bound.with(|edu| edu.start_factorial(9));
        let under_way = bound.with(|edu| edu.is_computing());
        computing += usize::from(under_way);
        under_way
    };
    let function = slot.function();
    let last = || {
        until(bound.platform(), cx, || {
            !bound.with(|edu| edu.is_computing())
        })?;
        messages::lose(function).map_err(Why::new)?;
        bound.with(|edu| edu.start_factorial(9)).map_err(Why::new)?;
        until(bound.platform(), cx, || function.has_interrupt())?;
        bound.with(|edu| edu.receive(0, 4096)).map_err(Why::new)
    };
    taken_out(slot, bound.platform(), busy, last)?;
    let calls = [0, 1].map(|cpu| timers::calls(cpu) - before[cpu]);
    info(format_args!(
        "gone, after {calls:?} callbacks and {computing} factorials under way"
    ));
    Ok(())
}

/// Waits until the button is pressed; and then takes the power at once, as if there had been no time for anything but `last`. `busy` keeps the driver busy, and says
/// whether what it should be busy with is under way.
fn taken_out(
    slot: Slot,
    bare: &Bare,
    mut busy: impl FnMut() -> bool,
    last: impl FnOnce() -> Result<(), Why>,
) -> Result<(), Why> {
    info(format_args!("{PULL_OUT}"));
    let start = bare.now();
    while !slot.is_asked() {
        busy();
        if bare.now().saturating_duration_since(start) > PATIENCE {
            return Err(why!("nobody has asked for the device within {PATIENCE:?}"));
        }
    }
    last()?;
    // Another moment in each run: the clock says which.
    let moment = bare
        .now()
        .saturating_add((bare.now().as_nanos() % 200_000).nanos());
    while !busy() || bare.now() < moment {}
    slot.power_off();
    let start = bare.now();
    while slot.is_taken() || slot.function().vendor() != NOBODY {
        busy();
        spin_loop();
        if bare.now().saturating_duration_since(start) > PATIENCE {
            return Err(why!("the device is still there"));
        }
    }
    Ok(())
}

/// The driver sees it: what is under way ends, and nothing else can be started.
fn seen_gone(bound: &Bound, cx: MaySleep<'_>) -> Result<(), Why> {
    until(bound.platform(), cx, || {
        bound.with(|edu| {
            edu.start_factorial(9) == Err(edu::Error::Gone)
                && edu.receive(0, 1) == Err(edu::Error::Gone)
                && edu.last() == Some(Err(edu::Error::Gone))
                && edu.last_transfer() == Some(Err(edu::Error::Gone))
        })
    })
}

/// Waits for another device in the slot, and makes it ready for a driver.
fn put_in(
    slot: Slot,
    bare: &Bare,
    old: &PciDevice<Bare>,
    cx: MaySleep<'_>,
) -> Result<PciDevice<Bare>, Why> {
    info(format_args!("{PUT_IN}"));
    until(bare, cx, || slot.is_taken())?;
    let _ = slot.is_asked();
    slot.power_on();
    let function = slot.function();
    until(bare, cx, || function.vendor() != NOBODY)?;
    // What the standard gives a device to get ready.
    bare.sleep(cx, 1.millis());
    let bar = old.bar(0).and_then(|bar| bar.renewed());
    let device = bar
        .and_then(|bar| with_bar(function, bar))
        .map_err(Why::new)?;
    match (device.vendor(), device.device()) {
        edu::PCI_ID => Ok(device),
        (vendor, id) => Err(why!(
            "{vendor:04x}:{id:04x} was put in: {}",
            Error::NoDevice
        )),
    }
}
