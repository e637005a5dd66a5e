//! The driver's whole job, and its end while everything is under way.

use std::time::Duration;

use linux_guest::{Report, Step};
use rustix::io::Errno;

use crate::file::{pattern, told, took, Edu};
use crate::leaks::{nothing_left, something_there};
use crate::log::Log;
use crate::module::{Module, EDU};

/// Version 1.0 of an edu.
const ID: u32 = 0x0100_00ed;
/// By interrupt. A driver that finds out by its time-out takes longer.
const PROMPT: Duration = Duration::from_millis(500);

/// The driver of drivers/edu.
pub fn own(report: &mut Report, log: &mut Log) -> Step<()> {
    report.step("load", EDU.load())?;
    report.check("there", something_there(EDU));
    let edu = report.step("open", Edu::open(EDU.file))?;
    report.check("identify", identify(&edu));
    report.check("factorial", factorial(&edu));
    report.check("transfers", transfers(&edu));
    report.check("statistics", statistics(&edu));
    report.check("busy", busy(&edu));
    report.check("refused", refused(&edu));
    report.check("held", held(&edu));
    report.step("unbind-under-way", unbind_under_way(&edu))?;
    report.check("gone", gone(&edu));
    report.check("nothing-left", nothing_left(EDU));
    drop(edu);
    report.check("log-unbound", log.pass_on(report));

    report.step("bind-again", EDU.bind())?;
    let edu = report.step("open-again", Edu::open(EDU.file))?;
    report.check("job-again", job(&edu));
    drop(edu);
    report.step("unload", unload(EDU))?;
    report.check("nothing-left-unloaded", nothing_left(EDU));
    report.check("log-own", log.pass_on(report));
    Ok(())
}

/// The names of the checks on a rival.
pub struct Names {
    load: &'static str,
    job: &'static str,
    unbind: &'static str,
    nothing_left: &'static str,
    unload: &'static str,
}

pub const BOUND: Names = Names {
    load: "bound-load",
    job: "bound-job",
    unbind: "bound-unbind",
    nothing_left: "bound-nothing-left",
    unload: "bound-unload",
};

pub const DEVRES: Names = Names {
    load: "devres-load",
    job: "devres-job",
    unbind: "devres-unbind",
    nothing_left: "devres-nothing-left",
    unload: "devres-unload",
};

/// The same driver by Linux's own abstractions.
pub fn rival(report: &mut Report, log: &mut Log, module: Module, names: Names) -> Step<()> {
    report.step(names.load, module.load())?;
    report.check(names.job, Edu::open(module.file).and_then(|edu| job(&edu)));
    report.step(names.unbind, module.unbind())?;
    report.check(names.nothing_left, nothing_left(module));
    report.step(names.unload, unload(module))?;
    if let Err(why) = log.pass_on(report) {
        report.info(&why);
    }
    Ok(())
}

pub fn unload(module: Module) -> Result<(), String> {
    module.unload().map_err(|error| format!("unload: {error}"))
}

/// The parts that a driver does while nothing disturbs it.
pub fn job(edu: &Edu) -> Result<(), String> {
    identify(edu)?;
    factorial(edu)?;
    transfers(edu)?;
    busy(edu)
}

fn identify(edu: &Edu) -> Result<(), String> {
    match edu.state()?.id {
        ID => Ok(()),
        id => Err(format!("{id:#010x}")),
    }
}

fn factorial(edu: &Edu) -> Result<(), String> {
    let before = edu.state()?.stat("interrupts")?;
    for (n, value) in [(10, 3_628_800), (12, 479_001_600)] {
        edu.command(&format!("factorial {n}"))?;
        let state = edu.until("a factorial", |state| !state.computing)?;
        let last = &state.last_factorial;
        match took(last, &format!("{n} = {value}")) {
            Some(time) if time < PROMPT => {}
            _ => return Err(last.clone()),
        }
    }
    let after = edu.state()?.stat("interrupts")?;
    if after > before {
        Ok(())
    } else {
        Err(format!("{after} interrupts, as before"))
    }
}

/// To the device and back, also in parts that are no whole page.
fn transfers(edu: &Edu) -> Result<(), String> {
    for (at, len) in [(0, 4096), (100, 1000), (0, 1)] {
        transfer(edu, "send", at, len, "to-device")?;
        let state = transfer(edu, "receive", at, len, "from-device")?;
        if state != told(len) {
            let sum: u64 = pattern(len).map(u64::from).sum();
            return Err(format!(
                "received {state}, expected {} (sum {sum})",
                told(len)
            ));
        }
    }
    Ok(())
}

/// Returns what was received last.
fn transfer(
    edu: &Edu,
    command: &str,
    at: u32,
    len: u32,
    direction: &str,
) -> Result<String, String> {
    edu.command(&format!("{command} {at} {len}"))?;
    let state = edu.until(command, |state| !state.transferring)?;
    match took(&state.last_transfer, &format!("{direction} {len}")) {
        Some(time) if time < PROMPT => Ok(state.received),
        _ => Err(state.last_transfer),
    }
}

/// A timer takes samples, and work counts them.
fn statistics(edu: &Edu) -> Result<(), String> {
    let state = edu.state()?;
    if state.stat("computed")? < 2 || state.stat("transferred")? < 6 || state.stat("failed")? > 0 {
        return Err(format!("{state:?}"));
    }
    let before = state.stat("samples")?;
    let enough = |samples: u64| samples >= before + 3;
    edu.until("samples", |state| state.stat("samples").is_ok_and(enough))?;
    Ok(())
}

/// The device does one of a kind at a time.
fn busy(edu: &Edu) -> Result<(), String> {
    // It takes a tenth of a second for a transfer, however long.
    edu.command("send 0 16")?;
    let second = edu.try_command("receive 0 16");
    edu.until("a transfer", |state| !state.transferring)?;
    match second {
        Err(error) if error.raw_os_error() == Some(Errno::BUSY.raw_os_error()) => Ok(()),
        other => Err(format!("the second at a time: {other:?}")),
    }
}

fn refused(edu: &Edu) -> Result<(), String> {
    for command in [
        "",
        "x",
        "factorial",
        "factorial x",
        "factorial -1",
        "send 0",
        "send 0 4097",
        "send 4096 1",
        "receive 4294967295 2",
    ] {
        match edu.try_command(command) {
            // Nothing is written, so nothing is refused.
            Ok(()) if command.is_empty() => {}
            Err(error) if error.raw_os_error() == Some(Errno::INVAL.raw_os_error()) => {}
            other => return Err(format!("`{command}`: {other:?}")),
        }
    }
    identify(edu)
}

/// An open file holds the module.
fn held(edu: &Edu) -> Result<(), String> {
    match EDU.unload() {
        Err(Errno::AGAIN | Errno::BUSY) => identify(edu),
        other => Err(format!("{other:?}")),
    }
}

fn unbind_under_way(edu: &Edu) -> Result<(), String> {
    edu.command("send 0 4096")?;
    edu.command("factorial 12")?;
    EDU.unbind()
}

/// The file that is still open has no driver.
fn gone(edu: &Edu) -> Result<(), String> {
    let nodev = Some(Errno::NODEV.raw_os_error());
    for command in ["factorial 5", "send 0 16", "raise 1", "x"] {
        match edu.try_command(command) {
            Err(error) if error.raw_os_error() == nodev => {}
            // Not understood before it is passed on.
            Err(error)
                if command == "x" && error.raw_os_error() == Some(Errno::INVAL.raw_os_error()) => {}
            other => return Err(format!("`{command}`: {other:?}")),
        }
    }
    match edu.try_text() {
        Err(error) if error.raw_os_error() == nodev => {}
        other => return Err(format!("read: {other:?}")),
    }
    match Edu::try_open(EDU.file) {
        Err(_) => Ok(()),
        Ok(_) => Err("it can still be opened".into()),
    }
}
