//! The init of a Linux guest in which the edu driver is tried as a module of the kernel.
//!
//! Loads the modules, does the driver's whole job by its device file, has the driver unbound and bound again by sysfs while everything is under way, and
//! passes on what the kernel has said meanwhile. What is asked for stands in the environment, which is the kernel's command line:
//!
//! - `TAINT`: the taint that is expected;
//! - `CYCLES`: how often the driver under load is unbound and bound, with another process that uses it, if at all.

#![forbid(unsafe_code)]

mod client;
mod file;
mod job;
mod leak;
mod leaks;
mod load;
mod log;
mod module;

use std::env;
use std::process::ExitCode;

use linux_guest::{guest, Report, Step};
use log::Log;

fn main() -> ExitCode {
    match env::args().nth(1).as_deref() {
        Some(client::ARGUMENT) => return client::run(),
        Some(leak::ARGUMENT) => return leak::unload(),
        _ => {}
    }
    let taint = number("TAINT").unwrap_or(0);
    guest::init_tainted("LINUX", &[], taint, checks)
}

/// Every check in order. The error is the name of a step without which the rest makes no sense.
fn checks(report: &mut Report) -> Step<()> {
    leaks::mount_debugfs(report);
    let mut log = report.step("log", Log::open())?;
    let checked = all(report, &mut log);
    if checked.is_ok() && module::LEAK.is_there() {
        leak::run(report, &mut log);
    }
    report.check("log-whole", log.pass_on(report));
    checked
}

fn all(report: &mut Report, log: &mut Log) -> Step<()> {
    if module::EDU.is_there() {
        job::own(report, log)?;
    }
    if module::LOAD.is_there() {
        load::run(report, log, number("CYCLES"))?;
    }
    for (module, names) in [(module::BOUND, job::BOUND), (module::DEVRES, job::DEVRES)] {
        if module.is_there() {
            job::rival(report, log, module, names)?;
        }
    }
    report.check("no-leak", leaks::none(report));
    Ok(())
}

/// A number on the kernel's command line.
fn number(name: &str) -> Option<u64> {
    env::var(name).ok()?.parse().ok()
}
