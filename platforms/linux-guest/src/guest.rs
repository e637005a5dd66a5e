//! What an init owes its kernel: mounts, modules, and an orderly end.

use std::ffi::CStr;
use std::fs::{self, File};
use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;
use std::thread;

use rustix::io::Errno;
use rustix::mount::{mount, MountFlags};
use rustix::system::{finit_module, reboot, RebootCommand};

use crate::{Report, Step};

/// The whole of a guest program: mounts what is needed, loads these modules, makes the checks, and powers the machine off whatever
/// happened. Every step is reported on the console, in lines that begin with `prefix`.
///
/// Returns only where this is not the first process: it mounts, binds and powers off, nothing to be tried out on one's own machine.
pub fn init(
    prefix: &'static str,
    modules: &[&str],
    checks: impl FnOnce(&mut Report) -> Step<()>,
) -> ExitCode {
    init_tainted(prefix, modules, 0, checks)
}

/// The same where the kernel has a reason for a taint, and for no other: a module from outside of its tree, say.
pub fn init_tainted(
    prefix: &'static str,
    modules: &[&str],
    taint: u64,
    checks: impl FnOnce(&mut Report) -> Step<()>,
) -> ExitCode {
    if !rustix::process::getpid().is_init() {
        eprintln!("this is the init of a virtual machine; `cargo xtask qemu` lists them");
        return ExitCode::from(2);
    }
    let mut report = Report::new(prefix);
    // An init that unwinds out of `main` panics the kernel, which would bury the report.
    let run = panic::catch_unwind(AssertUnwindSafe(|| -> Step<()> {
        report.step("mounts", mount_all())?;
        report.info(&format!("Linux {}", kernel_release()));
        report.step("modules", load_modules(modules))?;
        checks(&mut report)?;
        report.check("kernel-clean", kernel_clean(taint));
        Ok(())
    }));
    match run {
        Ok(Ok(())) => {}
        Ok(Err(step)) => report.info(&format!("stopped: nothing can follow a failed `{step}`")),
        Err(_) => report.check("no-panic", Err("init panicked".into())),
    }
    report.finish();
    power_off()
}

/// Mounts /proc, /sys and /dev.
fn mount_all() -> Result<(), String> {
    let mounts = [("proc", "/proc"), ("sysfs", "/sys"), ("devtmpfs", "/dev")];
    let no_data: Option<&CStr> = None;
    for (kind, target) in mounts {
        mount(kind, target, kind, MountFlags::empty(), no_data)
            .map_err(|error| format!("{target}: {error}"))?;
    }
    Ok(())
}

/// As `uname -r` says.
fn kernel_release() -> String {
    rustix::system::uname()
        .release()
        .to_string_lossy()
        .into_owned()
}

/// Loads the named modules from /modules; the order is the caller's, there is no dependency file.
fn load_modules(names: &[&str]) -> Result<(), String> {
    for name in names {
        let path = format!("/modules/{name}.ko");
        let file = File::open(&path).map_err(|error| format!("{path}: {error}"))?;
        match finit_module(&file, c"", 0) {
            // Built into this kernel, or loaded by it already.
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(format!("{path}: {error}")),
        }
    }
    Ok(())
}

/// Whether the kernel has had nothing to complain about: every warning and oops leaves a taint, even if
/// its message was not shown on the console.
fn kernel_clean(expected: u64) -> Result<(), String> {
    let path = "/proc/sys/kernel/tainted";
    let text = fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    match text.trim() {
        taint if taint == expected.to_string() => Ok(()),
        taint => Err(format!("taint {taint}, expected {expected}")),
    }
}

/// Ends the machine.
fn power_off() -> ! {
    for command in [RebootCommand::PowerOff, RebootCommand::Restart] {
        if let Err(error) = reboot(command) {
            eprintln!("reboot: {error}");
        }
    }
    // Returning would panic the kernel, and the console may still show why this was reached.
    loop {
        thread::park();
    }
}
