//! What an init owes its kernel: mounts, modules, and an orderly end.

use std::ffi::CStr;
use std::fs::{self, File};
use std::thread;

use rustix::io::Errno;
use rustix::mount::{mount, MountFlags};
use rustix::system::{finit_module, reboot, RebootCommand};

/// Whether this is the first process.
pub fn is_init() -> bool {
    rustix::process::getpid().is_init()
}

/// Mounts /proc, /sys and /dev.
pub fn mount_all() -> Result<(), String> {
    let mounts = [("proc", "/proc"), ("sysfs", "/sys"), ("devtmpfs", "/dev")];
    let no_data: Option<&CStr> = None;
    for (kind, target) in mounts {
        mount(kind, target, kind, MountFlags::empty(), no_data)
            .map_err(|error| format!("{target}: {error}"))?;
    }
    Ok(())
}

/// As `uname -r` says.
pub fn kernel_release() -> String {
    rustix::system::uname()
        .release()
        .to_string_lossy()
        .into_owned()
}

/// Loads the named modules from /modules; the order is the caller's, there is no dependency file.
pub fn load_modules(names: &[&str]) -> Result<(), String> {
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
pub fn kernel_clean() -> Result<(), String> {
    let path = "/proc/sys/kernel/tainted";
    let text = fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    match text.trim() {
        "0" => Ok(()),
        taint => Err(format!("taint {taint}")),
    }
}

/// Ends the machine.
pub fn power_off() -> ! {
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
