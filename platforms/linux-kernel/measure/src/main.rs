//! The init of the guest in which `cargo xtask linux-report` compares drivers: it tries one, or measures it.
//!
//! The kernel's command line says which: `driver=NAME`, the module `/modules/NAME.ko` with the file `/dev/FILE` for `file=FILE`, and `job=try` or `job=measure`.
//! Each line of the report begins with `LINUX-`.

use std::fmt::Display;
use std::fs::{self, File};
use std::io::Write as _;
use std::panic;
use std::process::ExitCode;
use std::thread;

use rustix::mount::{mount, MountFlags};
use rustix::system::{reboot, RebootCommand};

mod clock;
mod driver;
mod measure;
mod trial;

use driver::Driver;

/// Why it did not go on.
type Result<T> = std::result::Result<T, String>;

fn main() -> ExitCode {
    if !rustix::process::getpid().is_init() {
        eprintln!("this is the init of a virtual machine; run it with `cargo xtask linux-report`");
        return ExitCode::from(2);
    }
    let outcome = panic::catch_unwind(run);
    match outcome {
        Ok(Ok(())) => say("END well"),
        Ok(Err(why)) => say(&format!("END {why}")),
        Err(_) => say("END init panicked"),
    }
    for command in [RebootCommand::PowerOff, RebootCommand::Restart] {
        if let Err(error) = reboot(command) {
            eprintln!("reboot: {error}");
        }
    }
    loop {
        thread::park();
    }
}

fn run() -> Result<()> {
    for (kind, target) in [
        ("proc", "/proc"),
        ("sysfs", "/sys"),
        ("devtmpfs", "/dev"),
        ("tracefs", "/sys/kernel/tracing"),
        ("debugfs", "/sys/kernel/debug"),
    ] {
        let mounted = mount(
            kind,
            target,
            kind,
            MountFlags::empty(),
            None::<&std::ffi::CStr>,
        );
        // Not every kernel has these.
        if !["tracefs", "debugfs"].contains(&kind) {
            at(target, mounted)?;
        }
    }
    let word = |name: &str| std::env::var(name).map_err(|_| format!("no {name}= was given"));
    let driver = Driver::new(&word("driver")?, &word("file")?);
    match word("job")?.as_str() {
        "try" => trial::run(&driver),
        "measure" => measure::run(&driver),
        other => Err(format!("job={other} is not known")),
    }
}

/// A line of the report.
fn say(text: &str) {
    let mut stdout = std::io::stdout().lock();
    // If the console is gone nobody can be told.
    let _ = writeln!(stdout, "LINUX-{text}");
    let _ = stdout.flush();
    let _ = rustix::termios::tcdrain(&stdout);
}

/// Says with what it went wrong.
fn at<T, E: Display>(what: &str, result: std::result::Result<T, E>) -> Result<T> {
    result.map_err(|error| format!("{what}: {error}"))
}

fn write(path: &str, text: &str) -> Result<()> {
    let mut file = at(path, File::options().write(true).open(path))?;
    at(path, file.write_all(text.as_bytes()))
}

fn read(path: &str) -> Result<String> {
    at(path, fs::read_to_string(path))
}
