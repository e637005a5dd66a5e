//! A driver that leaks a binding, which is sound: so its module must not go, and who wants to unload it waits for ever. To be tried last.

use std::process::{Command, ExitCode};
use std::thread;
use std::time::Duration;

use linux_guest::Report;

use crate::log::Log;
use crate::module::LEAK;

/// The program's first argument, where it is the process that unloads the module.
pub const ARGUMENT: &str = "unload";

/// The module says after one second that it waits.
const PATIENCE: Duration = Duration::from_secs(4);

pub fn run(report: &mut Report, log: &mut Log) {
    report.check("leak-load", LEAK.load());
    report.check("leak-unbind", LEAK.unbind());
    report.check("leak-mark", log.mark("from here on a binding is leaked"));
    report.check("leak-held", held());
}

fn held() -> Result<(), String> {
    let mut other = Command::new("/init")
        .arg(ARGUMENT)
        .spawn()
        .map_err(|error| format!("a second process: {error}"))?;
    thread::sleep(PATIENCE);
    // It cannot be ended either; the machine is.
    match other.try_wait() {
        Ok(None) => Ok(()),
        Ok(Some(status)) => Err(format!("the module was unloaded: {status}")),
        Err(error) => Err(error.to_string()),
    }
}

/// The process itself.
pub fn unload() -> ExitCode {
    match LEAK.unload() {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
